"""Classification: what a record of a page means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import INCLUDE, Schema

from connectory import Element, Resource, hookimpl
from connectory.clock import to_micros
from connectory.errors import ConfigurationError, ProviderError
from connectory.plans.compiling import compile_plan
from connectory.plugins import Plugins
from connectory.records.changes import Meaning
from connectory.records.classifier import Classifier
from connectory.records.identify import content_hash, identify
from connectory.records.known import Known, deleted_version
from connectory.records.summary import Summary
from connectory.records.window import Bounds
from connectory.schemas import PollerConfiguration

FORMAT = "yyyy-MM-dd HH:mm:ss"
DATES = {
    "updatedDateField": "updated",
    "updatedDateFormat": FORMAT,
    "createdDateField": "created",
    "createdDateFormat": FORMAT,
}
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE


ELEMENT = Element(key="shop", name="Shop", hub="shop", base_url="https://shop.test", config_schema=Configuration)


class Shop:
    @hookimpl
    def connect_register_elements(self):
        return [ELEMENT]


def plan(entry: dict | None = None, **resource):
    plugins = Plugins()
    plugins.register(Shop(), "shop")
    given = {"url": "/hubs/shop/orders", "idField": "id", "datesConfiguration": DATES} | (entry or {})
    parsed = PollerConfiguration().deserialize({"orders": given})["orders"]
    described = Resource(name="orders", path="/orders", version_field="count", **resource)
    return compile_plan("orders", parsed, element=ELEMENT, resources={"orders": described}, plugins=plugins)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def found(a_plan, record: dict, known=None, *, baseline: bool = False):
    body = json.dumps([record]).encode()
    records = identify(a_plan, body)
    bounds = Bounds(
        start=to_micros(START),
        end=to_micros(START + timedelta(minutes=1)),
        started=to_micros(START + timedelta(minutes=1, seconds=5)),
        baseline=baseline,
    )
    classifier = Classifier(plan=a_plan, bounds=bounds)
    return classifier.classify(0, records.rows[0], records.ids[0], records.versions[0], known)


def order(updated: datetime, created: datetime, **more) -> dict:
    return {"id": "a", "updated": text(updated), "created": text(created), "count": "1", **more}


INSIDE = START + timedelta(seconds=10)
BEFORE = START - timedelta(seconds=1)
LONG_AGO = START - timedelta(days=30)


@pytest.mark.parametrize(
    ("record", "known", "expected"),
    [
        (order(INSIDE, INSIDE), None, Meaning.CREATED),
        (order(INSIDE, START), None, Meaning.CREATED),
        (order(START, START), None, Meaning.CREATED),
        (order(INSIDE, LONG_AGO), None, Meaning.UPDATED),
        (order(INSIDE, INSIDE), Known(1, "other"), Meaning.UPDATED),
        (order(BEFORE, BEFORE), None, Meaning.BEFORE_WINDOW),
        (order(LONG_AGO, LONG_AGO), None, Meaning.BEFORE_WINDOW),
        (order(INSIDE, INSIDE) | {"created": ""}, None, Meaning.UPDATED),
        (order(INSIDE, INSIDE) | {"created": "yesterday"}, None, Meaning.UPDATED),
        (order(INSIDE, INSIDE) | {"updated": "soon"}, None, Meaning.CREATED),
        (order(INSIDE, INSIDE) | {"updated": None, "created": None}, None, Meaning.UPDATED),
        (order(INSIDE, INSIDE) | {"updated": ["a"], "created": {"b": 1}}, None, Meaning.UPDATED),
        (order(INSIDE, INSIDE) | {"updated": {"value": text(INSIDE), "display_value": "today"}}, None, Meaning.CREATED),
    ],
)
def test_finding(record, known, expected):
    assert found(plan(), record, known).meaning is expected


def test_the_sequence_goes_on_from_the_last_event():
    assert found(plan(), order(INSIDE, INSIDE)).sequence == 1
    assert found(plan(), order(INSIDE, INSIDE), Known(7, "other")).sequence == 8


def test_a_record_without_a_readable_date_is_named():
    change = found(plan(), {"id": "a", "updated": "soon", "created": "later", "count": "1"})
    assert (change.meaning, change.date) == (Meaning.UPDATED, None)
    assert change.reason == "orders a has no readable date"


def test_created_check_tolerance():
    record = order(INSIDE, INSIDE - timedelta(seconds=30))
    old = order(INSIDE, LONG_AGO)
    assert found(plan({"createdCheckTolerance": 10}), old).meaning is Meaning.UPDATED
    assert found(plan({"createdCheckTolerance": 86400 * 40}), old).meaning is Meaning.CREATED
    assert found(plan({"createdCheckTolerance": "10"}), record).meaning is Meaning.UPDATED


def test_filter_by_current_date_leaves_what_is_newer_than_the_poll_to_the_next_one():
    record = order(START + timedelta(minutes=2), INSIDE)
    assert found(plan(), record).meaning is Meaning.CREATED
    assert found(plan({"filterByCurrentDate": True}), record).meaning is Meaning.NEXT_POLL


def test_filter_by_current_date_compares_with_the_start_of_the_poll_and_not_with_the_windows_end():
    """What became visible while the window settled is announced at once, up to the very moment of the poll's start."""
    strict = plan({"filterByCurrentDate": True})
    started = START + timedelta(minutes=1, seconds=5)
    for updated in (START + timedelta(minutes=1, seconds=3), started):
        assert found(strict, order(updated, INSIDE)).meaning is Meaning.CREATED
    assert found(strict, order(started + timedelta(seconds=1), INSIDE)).meaning is Meaning.NEXT_POLL


def test_what_was_created_since_the_instance_began_is_created_whenever_it_was_updated():
    begun = replace(plan(), begun=to_micros(LONG_AGO))
    assert found(begun, order(INSIDE, LONG_AGO)).meaning is Meaning.CREATED
    assert found(begun, order(INSIDE, LONG_AGO - timedelta(seconds=1))).meaning is Meaning.UPDATED


def test_the_tolerance_between_created_and_updated_includes_its_end():
    tolerant = plan({"createdCheckTolerance": 60})
    assert found(tolerant, order(INSIDE, INSIDE - timedelta(seconds=60))).meaning is Meaning.CREATED
    assert found(tolerant, order(INSIDE, INSIDE - timedelta(seconds=61))).meaning is Meaning.UPDATED


def test_what_is_older_than_the_window_is_left_out_and_what_is_on_its_bound_is_not():
    assert found(plan(), order(START, LONG_AGO)).meaning is Meaning.UPDATED
    assert found(plan(), order(START - timedelta(seconds=1), LONG_AGO)).meaning is Meaning.BEFORE_WINDOW


def test_filter_by_updated_date_false_compares_the_created_date():
    record = order(INSIDE, LONG_AGO)
    assert found(plan({"filterByUpdatedDate": False}), record).meaning is Meaning.BEFORE_WINDOW
    assert found(plan({"filterByUpdateDate": False}), record).meaning is Meaning.BEFORE_WINDOW


def test_a_provider_that_ignores_the_filter_is_caught():
    filtering = plan({"url": "/hubs/shop/orders?where=updated='${gmtDate:yyyy-MM-dd HH:mm:ss}'"})
    assert found(filtering, order(START - timedelta(minutes=5), LONG_AGO)).meaning is Meaning.BEFORE_WINDOW
    with pytest.raises(ProviderError, match=r"ignored the filter: orders a was updated at 2026-01-30"):
        found(filtering, order(LONG_AGO, LONG_AGO))


@pytest.mark.parametrize(
    ("pattern", "slack"),
    [
        ("yyyy-MM-dd HH:mm:ss", timedelta(hours=2, seconds=2)),
        ("yyyy-MM-dd'T'HH", timedelta(hours=4)),
        ("yyyy-MM-dd", timedelta(days=2, hours=2)),
    ],
)
def test_a_coarse_filter_is_not_ignored_where_it_lets_through_what_its_unit_lets_through(pattern, slack):
    filtering = plan({"url": f"/hubs/shop/orders?where=updated='${{gmtDate:{pattern}}}'"})
    assert found(filtering, order(START - slack, LONG_AGO)).meaning is Meaning.BEFORE_WINDOW
    with pytest.raises(ProviderError, match="ignored the filter"):
        found(filtering, order(START - slack - timedelta(seconds=1), LONG_AGO))


def test_a_version_is_the_stamp_and_the_counter_of_the_provider():
    def version(**more):
        body = json.dumps([order(INSIDE, LONG_AGO) | more]).encode()
        return identify(plan(), body).versions[0]

    assert version() == version(name="another")
    assert version() != version(count="2")
    assert version() != version(updated=text(BEFORE))
    assert version(count={"value": "1", "display_value": "one"}) == version()


def test_a_version_is_the_content_where_the_provider_counts_nothing():
    counting_nothing = plan({"datesConfiguration": {"updatedDateField": None}})

    def version(**more):
        body = json.dumps([{"id": "a", "name": "x"} | more]).encode()
        return identify(counting_nothing, body).versions[0]

    assert version() == version(name="x")
    assert version() != version(name="y")


def test_a_date_that_cannot_be_read_is_looked_for_in_the_created_one():
    change = found(plan(), order(INSIDE, INSIDE) | {"updated": "soon"})
    assert change.date == to_micros(INSIDE)
    assert found(plan(), order(INSIDE, BEFORE) | {"updated": "soon"}).meaning is Meaning.BEFORE_WINDOW


DELETED = Known(3, deleted_version("missing from sweep 7"))


@pytest.mark.parametrize(
    "record", [order(INSIDE, LONG_AGO), order(INSIDE, INSIDE), order(INSIDE, INSIDE) | {"updated": "", "created": ""}]
)
def test_what_was_announced_as_deleted_is_created_when_it_is_there_again(record):
    change = found(plan(), record, DELETED)
    assert (change.meaning, change.sequence) == (Meaning.CREATED, 4)


def test_what_bears_no_dates_and_was_announced_as_deleted_is_created_when_it_is_there_again():
    dateless = plan({"datesConfiguration": {"updatedDateField": None}})
    assert found(dateless, {"id": "a"}, DELETED).meaning is Meaning.CREATED


def test_records_that_name_no_id_are_told_apart_by_their_content():
    dateless = plan({"datesConfiguration": {"updatedDateField": None}})
    body = json.dumps([{"name": "x"}, {"name": "y"}, {"id": "a"}, {}, {"name": "x"}]).encode()
    first, second, named, empty, again = identify(dateless, body).ids
    assert first == again != second
    assert first.startswith("#")
    assert second.startswith("#")
    assert (named, empty) == ("a", None)


def test_records_without_dates_are_remembered_first_and_compared_by_content_then():
    dateless = plan({"datesConfiguration": {"updatedDateField": None}})
    assert dateless.updated is None
    record = {"id": "a", "name": "x"}
    assert found(dateless, record, baseline=True).meaning is Meaning.BASELINE
    assert found(dateless, record).meaning is Meaning.CREATED
    assert found(dateless, record, Known(0, "other")).meaning is Meaning.UPDATED


def test_only_a_date_that_cannot_be_read_gives_a_warning():
    """A record of an entry without date fields is compared by its content, so it lacks nothing."""
    summary = Summary(instance_id=1, resource="orders", start=0, end=0)
    dateless = plan({"datesConfiguration": {"updatedDateField": None}})
    summary.count(found(dateless, {"id": "a", "name": "x"}, Known(1, "other")))
    assert (summary.updated, summary.warnings) == (1, [])
    summary.count(found(plan(), {"id": "a", "updated": "soon", "created": "later"}, Known(1, "other")))
    assert (summary.updated, summary.warnings) == (2, ["orders a has no readable date"])


def test_a_repeated_hour_of_a_local_clock_loses_nothing():
    local = plan({"datesConfiguration": DATES | {"updatedDateTimezone": "America/New_York"}})
    # 01:30 in New York on this night is 05:30 or 06:30 UTC; the window starts between the two.
    bounds = Bounds(
        start=to_micros(datetime(2025, 11, 2, 6, 0, tzinfo=UTC)),
        end=to_micros(datetime(2025, 11, 2, 7, 0, tzinfo=UTC)),
        started=to_micros(datetime(2025, 11, 2, 7, 0, tzinfo=UTC)),
    )
    body = json.dumps([{"id": "a", "updated": "2025-11-02 01:30:00", "created": "2020-01-01 00:00:00"}]).encode()
    records = identify(local, body)
    change = Classifier(plan=local, bounds=bounds).classify(0, records.rows[0], "a", records.versions[0], None)
    assert change.meaning is Meaning.UPDATED


@pytest.mark.parametrize(
    ("field", "record", "object_id"),
    [
        ("id", {"id": 7}, "7"),
        ("id", {"id": {"value": "v", "display_value": "V"}}, "v"),
        ("user.id", {"user": {"id": "u"}}, "u"),
        ("user.id", {"user": None}, None),
        ("user.id", {"user": "text"}, None),
        ("$.a[0].b", {"a": [{"b": "x"}]}, "x"),
        ("['Modified By']", {"Modified By": "m"}, "m"),
        ("id", {"id": ""}, None),
        ("id", {}, None),
    ],
)
def test_id_paths(field, record, object_id):
    a_plan = plan({"idField": field})
    body = json.dumps([record]).encode()
    assert list(identify(a_plan, body).ids) == [object_id]


@pytest.mark.parametrize("field", ["a..b", "[", "a[b]", "a b]["])
def test_a_path_that_is_none_is_refused(field):
    with pytest.raises(ConfigurationError, match=r"event\.poller\.configuration\.orders\.idField.*is not a JSON path"):
        plan({"idField": field})


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=2), st.randoms())
def test_the_content_hash_ignores_the_order_of_keys(record, random):
    shuffled = list(record.items())
    random.shuffle(shuffled)
    assert content_hash(msgspec.Raw(json.dumps(record).encode())) == content_hash(
        msgspec.Raw(json.dumps(dict(shuffled)).encode())
    )
    assert content_hash(msgspec.Raw(b'{"a":1}')) != content_hash(msgspec.Raw(b'{"a":2}'))
