"""What a poller entry becomes: the request that a window is asked for with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from marshmallow import INCLUDE, Schema

from connectory import Element, Resource, hookimpl
from connectory.clock import from_micros, to_micros
from connectory.errors import ConfigurationError, QueryError
from connectory.model import Bound, Window
from connectory.paging import SinglePage
from connectory.plans.compiling import compile_plan
from connectory.plugins import Plugins
from connectory.schemas import PollerConfiguration
from world import entry

MOMENT = datetime(2026, 3, 1, 12, 34, 56, 789_000, tzinfo=UTC)


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE


ELEMENT = Element(
    key="shop", name="Shop", hub="shop", base_url="https://shop.test", config_schema=Configuration, page_size=50
)


class Shop:
    @hookimpl
    def connect_register_elements(self):
        return [ELEMENT]


def plan(query: str = "", entry: dict | None = None, shop: type = Shop, **resource):
    plugins = Plugins()
    plugins.register(shop(), "shop")
    given = {"url": f"/hubs/shop/orders?{query}", "idField": "id"} | (entry or {})
    parsed = PollerConfiguration().deserialize({"orders": given})["orders"]
    described = Resource(**{"name": "orders", "path": "/v1/orders"} | resource)
    return compile_plan("orders", parsed, element=ELEMENT, resources={"orders": described}, plugins=plugins)


def dated(pattern: str, timezone: str | None = None):
    dates = {"updatedDateField": "updated", "updatedDateFormat": pattern, "updatedDateTimezone": timezone}
    return plan(entry={"datesConfiguration": dates})


def params(a_plan, start: datetime = MOMENT) -> tuple[tuple[str, str], ...]:
    request, _ = a_plan.request(Window(start=start, end=start + timedelta(minutes=1)))
    return request.params


# The lower bound


@pytest.mark.parametrize(
    ("slot", "bound"),
    [
        ("${gmtDate:yyyy-MM-dd}", "2026-02-28"),
        ("${gmtDate:yyyy-MM-dd'T'HH}", "2026-03-01T11"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm}", "2026-03-01T12:33"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm:ss}", "2026-03-01T12:34:55"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS}", "2026-03-01T12:34:56.788"),
        ("${date:yyyy-MM-dd}", "2026-02-28"),
        ("${dateTimeZone:America/Denver:yyyy-MM-dd'T'HH}", "2026-03-01T04"),
        ("${epoch:s}", str(int(MOMENT.timestamp()) - 1)),
    ],
)
def test_the_lower_bound_is_one_unit_of_its_pattern_earlier(slot, bound):
    """The provider may compare with `>`, and the records that share the bound's unit would be lost."""
    assert params(plan(f"since={slot}")) == (("since", bound),)


@pytest.mark.parametrize(
    ("bound", "since"),
    [
        (Bound(), "2026-03-01T12:34:55"),
        (Bound(comparison="strict", unit=timedelta(seconds=1)), "2026-03-01T12:34:55"),
        (Bound(comparison="inclusive"), "2026-03-01T12:34:56"),
        (Bound(comparison="inclusive", unit=timedelta(minutes=1)), "2026-03-01T12:33:56"),
        (Bound(unit=timedelta(hours=1)), "2026-03-01T11:34:56"),
        (Bound(zone="America/Denver"), "2026-03-01T05:34:55"),
    ],
)
def test_a_resource_says_how_its_provider_reads_the_bound(bound, since):
    a_plan = plan("since=${date:yyyy-MM-dd'T'HH:mm:ss}", bound=bound)
    assert params(a_plan) == (("since", since),)
    assert a_plan.unit == max(bound.unit, timedelta(seconds=1))


class Texts(Shop):
    @hookimpl
    def connect_render_template(self, template, window):
        return template.replace("${epoch:s}", "7")


@pytest.mark.parametrize(("shop", "warned"), [(Texts, True), (Shop, False)])
def test_a_bound_that_a_plugin_writes_as_plain_text_is_warned_of(shop, warned):
    a_plan = plan("since=${epoch:s}", shop=shop)
    assert ["its lower bound cannot be checked" in text for text in a_plan.warnings] == [True] * warned
    assert not plan("since=7", shop=shop).warnings


class Berlin:
    """Exactly the members of the protocol."""

    unit = timedelta(seconds=1)
    ambiguity = timedelta(hours=1)
    warnings = ()

    def parse(self, value, /):
        return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)

    def format(self, moment, /):
        return moment.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None).isoformat()


class BerlinShop(Shop):
    @hookimpl
    def connect_date_format(self, pattern, timezone):
        return Berlin()


@pytest.mark.parametrize("zone", ["plugin", "Europe/Berlin", "+01:00", None])
def test_a_stamp_of_the_hour_that_comes_twice_is_read_too_early_by_no_more_than_the_ambiguity(zone):
    shop = BerlinShop if zone == "plugin" else Shop
    dates = {
        "updatedDateField": "updated",
        "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss",
        "updatedDateTimezone": None if zone == "plugin" else zone,
    }
    a_plan = plan(entry={"datesConfiguration": dates}, shop=shop)
    assert a_plan.ambiguity == (3_600_000_000 if zone in ("plugin", "Europe/Berlin") else 0)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    read = a_plan.updated_codec.parse(a_plan.updated_codec.format(second))
    assert to_micros(second) - to_micros(read) == a_plan.ambiguity


@pytest.mark.parametrize(
    ("pattern", "earliest"),
    [
        ("yyyy-MM-dd", datetime(2026, 2, 28, tzinfo=UTC)),
        ("yyyy-MM-dd'T'HH", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("yyyy-MM-dd'T'HH:mm", datetime(2026, 3, 1, 12, 34, tzinfo=UTC)),
        ("yyyy-MM-dd'T'HH:mm:ss", datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", MOMENT),
    ],
)
def test_a_window_starts_at_the_earliest_stamp_that_a_record_changed_then_can_bear(pattern, earliest):
    assert from_micros(dated(pattern).floor(to_micros(MOMENT))) == earliest


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu"])
@pytest.mark.parametrize("pattern", ["yyyy-MM-dd", "yyyy-MM-dd'T'HH", "yyyy-MM-dd'T'HH:mm"])
def test_a_coarse_stamp_is_never_before_the_earliest_one_whatever_its_zone(pattern, zone):
    a_plan = dated(pattern, zone)
    for hour in range(24):
        moment = MOMENT.replace(hour=hour)
        stamp = a_plan.updated_codec.parse(a_plan.updated_codec.format(moment))
        assert a_plan.floor(to_micros(moment)) <= to_micros(stamp)


# The other parameters


def test_what_the_url_says_replaces_what_the_resource_asks_for_by_default():
    resource = {"params": (("status", "open"), ("fields", "all"), ("status", "new"))}
    assert params(plan("status=closed&size=big", **resource)) == (
        ("fields", "all"),
        ("status", "closed"),
        ("size", "big"),
    )
    assert params(plan(**resource)) == resource["params"]


def test_what_a_condition_becomes_replaces_a_default_too():
    a_plan = plan("where=status='closed'", params=(("status", "open"), ("sort", "id")))
    assert params(a_plan) == (("sort", "id"), ("status", "closed"))


def test_a_span_is_asked_for_unless_the_list_is_one_of_everything():
    window = Window(start=MOMENT, end=MOMENT)
    assert plan().request(window)[1].window == window
    assert replace(plan(), is_windowed=False).request(window)[1].window is None


def test_the_words_of_the_platform_are_not_handed_to_the_provider():
    assert params(plan("where=a='1'&pageSize=7&page=2&nextPage=x&fields=a,b&orderBy=a&mine=1")) == (
        ("mine", "1"),
        ("a", "1"),
    )


@pytest.mark.parametrize(
    ("query", "entry", "asked", "size"),
    [
        ("", {}, None, 50),
        ("pageSize=7", {}, None, 7),
        ("pageSize=7", {"pageSize": 9}, None, 9),
        ("pageSize=7", {"pageSize": 9}, 5, 5),
    ],
)
def test_the_size_of_a_page_is_the_nearest_one_that_is_said(query, entry, asked, size):
    window = Window(start=MOMENT, end=MOMENT)
    assert plan(query, entry).request(window, asked)[1].page_size == size


@pytest.mark.parametrize("size", ["0", "10001", "-1", "many", ""])
def test_a_page_size_that_is_none_is_refused_with_the_entry(size):
    with pytest.raises(
        ConfigurationError, match=r"event\.poller\.configuration\.orders\.url.*expected a number from 1 to"
    ):
        plan(f"pageSize={size}")


def test_a_paginator_of_the_resource_comes_before_that_of_its_element():
    class Pages(SinglePage):
        pass

    one, other = Pages(), Pages()
    element = replace(ELEMENT, paginator=other)
    assert plan(paginator=one).paginator is one
    assert replace(plan(paginator=one), element=element).paginator is one
    assert replace(plan(), element=element).paginator is other
    assert isinstance(plan().paginator, SinglePage)


# What an entry leaves to others


@pytest.mark.parametrize(
    ("entry", "reach"),
    [
        ({}, 60),
        ({"overlap": 0}, 0),
        ({"overlap": 90}, 90),
        ({"pollDelay": 30}, 90),
        ({"overlap": 0, "pollDelay": 30}, 30),
    ],
)
def test_a_window_reaches_back_by_the_overlap_and_the_poll_delay(entry, reach):
    assert plan(entry=entry).reach == timedelta(seconds=reach)


STAMPS = {"updatedDateField": "changed", "updatedDateFormat": "yyyy-MM-dd"}
DEFAULT = {"url": "/hubs/shop/orders", "datesConfiguration": STAMPS}


def row_of(a_plan, **fields):
    (row,) = a_plan.rows(json.dumps([fields]).encode())
    return row


def test_dates_that_an_entry_leaves_out_are_those_of_the_default_entry():
    taken_over = plan(poller=DEFAULT)
    assert taken_over.updated(row_of(taken_over, changed="2026-03-01")) == "2026-03-01"
    own = plan(entry={"datesConfiguration": STAMPS | {"updatedDateField": "touched"}}, poller=DEFAULT)
    assert own.updated(row_of(own, touched="2026-03-02", changed="2026-03-01")) == "2026-03-02"
    assert plan().updated is None


def test_a_date_without_a_pattern_is_none():
    unread = plan(entry={"datesConfiguration": STAMPS | {"createdDateField": "made"}})
    assert (unread.created, unread.created_codec) == (None, None)


@pytest.mark.parametrize(
    ("given", "field"), [({"idField": "id"}, "key"), ({"idField": ""}, "key"), ({"idField": "number"}, "number")]
)
def test_id_is_the_platforms_name_for_what_tells_records_apart(given, field):
    a_plan = plan(entry=given, id_field="key")
    assert a_plan.id_field == field
    assert a_plan.object_id(row_of(a_plan, key="k", number="n", id="i")) == field[0]


@pytest.mark.parametrize("field", ["Modified Time", "['Modified Time']", "$['Modified Time']", '$["Modified Time"]'])
def test_a_field_is_read_whatever_the_spelling_of_its_path(field):
    a_plan = plan(entry={"idField": field})
    assert a_plan.object_id(row_of(a_plan, **{"Modified Time": "now"})) == "now"


@pytest.mark.parametrize(
    ("records_path", "body", "ids"),
    [
        ("$.data['the items']", {"data": {"the items": [{"id": 1}]}}, [1]),
        ("$items", {"$items": [{"id": 2}]}, [2]),
        ("pages[1].items", {"pages": [{"items": []}, {"items": [{"id": 3}]}]}, [3]),
        ("pages[1].items", {"pages": [{"items": [{"id": 3}]}]}, []),
        ("data.items", {"data": None}, []),
    ],
)
def test_the_list_of_records_is_found_by_the_same_paths(records_path, body, ids):
    a_plan = plan(records_path=records_path)
    text = json.dumps(body).encode()
    assert [a_plan.object_id(row) for row in a_plan.rows(text)] == ids
    assert [json.loads(bytes(raw))["id"] for raw in a_plan.raws(text)] == ids


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"ignoreFields": ["a", "b["]}, "ignoreFields"),
        ({"idField": "b["}, "idField"),
        (
            {"datesConfiguration": {"updatedDateField": "b[", "updatedDateFormat": "yyyy"}},
            "datesConfiguration.updatedDateField",
        ),
    ],
)
def test_a_wrong_path_has_one_message_wherever_it_stands(given, where):
    with pytest.raises(ConfigurationError) as caught:
        plan(entry=given)
    assert str(caught.value) == (
        f"event.poller.configuration.orders.{where}: 'b[' is not a JSON path"
        " (write e.g. user.id, items[0].id or ['Modified Time'])"
    )


def test_a_path_into_a_list_that_is_too_short_finds_nothing():
    a_plan = plan(entry={"idField": "$.keys[1]"})
    assert a_plan.object_id(row_of(a_plan, keys=["a", "b"])) == "b"
    assert a_plan.object_id(row_of(a_plan, keys=["a"])) is None


# Mistakes of an entry are said when it is compiled


def test_a_condition_that_the_provider_cannot_express_is_said_at_once():
    with pytest.raises(QueryError, match=r"event\.poller\.configuration\.orders\.url: shop understands only"):
        plan("where=a>'1'")


@pytest.mark.parametrize(
    ("pattern", "unit"), [("yyyy-MM-dd'T'HH", "hour"), ("yyyy-MM-dd", "day"), ("yyyy-MM", "month or year")]
)
def test_stamps_that_are_coarse_are_warned_of(pattern, unit):
    (warning,) = [text for text in dated(pattern).warnings if "is exact to" in text]
    assert warning.startswith(f"updatedDateFormat is exact to the {unit} only")
    assert not [text for text in dated("yyyy-MM-dd'T'HH:mm").warnings if "is exact to" in text]


def test_the_page_size_of_the_url_is_used(snow):
    poller = entry("incidents")
    poller["url"] += "&pageSize=7"
    snow.create(**{"event.poller.configuration": {"incidents": poller}})
    snow.poll()
    [asked] = [call for call in snow.sandbox.log.entries if "/table/incident" in call.path]
    assert asked.params["sysparm_limit"] == "7"
