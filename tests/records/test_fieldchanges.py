"""What changed: the fields that an UPDATED names, their old values, and changes that are only noise."""

from __future__ import annotations

import json
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.records.fieldchanges import changed_fields, fields_of
from connectory.store import snapshots
from shelf import Shelf


@pytest.fixture
def shelf(tmp_path):
    with Shelf(tmp_path) as opened:
        opened.put("a", name="Ann", notes={"x": 1, "y": [1, 2]}, seen="never")
        opened.clock.advance(3600)
        yield opened


def told(shelf: Shelf) -> list[tuple[str, list[str] | None]]:
    return [(event.type, event.changed) for event in shelf.events()]


def last_told(shelf: Shelf) -> dict:
    return shelf.bodies()[-1]["message"]["events"][-1]


def test_an_update_names_the_fields_that_differ(shelf):
    shelf.create(trackChanges=True, trackDeletes=False)
    shelf.poll()
    shelf.put("a", name="Anna")
    shelf.poll()
    assert told(shelf) == [("UPDATED", None)], "nothing to compare with at first sight"
    shelf.clock.advance(10)
    shelf.put("a", name="Anne", extra=1)
    shelf.poll()
    assert told(shelf)[1:] == [("UPDATED", ["count", "extra", "name", "updated"])]
    assert last_told(shelf)["changed"] == ["count", "extra", "name", "updated"]
    assert "previous" not in last_told(shelf)


def test_the_old_values_are_given_where_they_are_asked_for(shelf):
    shelf.create(trackChanges={"previous": True}, trackDeletes=False)
    shelf.put("b", name="Bob", notes=None)
    shelf.poll()
    before = shelf.things["b"]
    shelf.clock.advance(10)
    shelf.put("b", name="Rob", notes={"z": [1]}, extra="new")
    shelf.poll()
    assert last_told(shelf)["changed"] == ["count", "extra", "name", "notes", "updated"]
    assert last_told(shelf)["previous"] == {
        "count": 0,
        "name": "Bob",
        "notes": None,
        "updated": before["updated"],
    }


def test_a_field_that_is_gone_has_changed(shelf):
    shelf.create(trackChanges={"previous": True}, trackDeletes=False)
    shelf.put("b", name="Bob")
    shelf.poll()
    shelf.put("b")
    del shelf.things["b"]["name"]
    shelf.poll()
    assert "name" in last_told(shelf)["changed"]
    assert last_told(shelf)["previous"]["name"] == "Bob"


def test_nothing_is_kept_and_nothing_is_named_unless_it_is_asked_for(shelf):
    shelf.create(trackDeletes=False)
    for _ in range(3):
        shelf.poll()
        shelf.put("a")
    shelf.poll()
    assert [event.changed for event in shelf.events()] == [None, None, None]
    assert "changed" not in last_told(shelf)
    assert kept(shelf) == []


def kept(shelf: Shelf) -> list[str]:
    with shelf.app.parts.database.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT object_id FROM snapshots ORDER BY object_id")]


def test_a_thing_that_is_deleted_is_not_kept_and_begins_anew(shelf):
    shelf.create(trackChanges=True)
    shelf.put("b")
    shelf.poll()
    assert kept(shelf) == ["b"]
    shelf.remove("b")
    shelf.poll()
    assert kept(shelf) == []
    shelf.put("b")
    shelf.poll()
    assert told(shelf)[-1] == ("CREATED", None)


def test_versions_are_kept_for_so_long_after_their_last_change(tmp_path):
    with Shelf(tmp_path, CONNECTORY_SNAPSHOT_DAYS="3") as shelf:
        shelf.create(trackChanges=True, trackDeletes=False)
        shelf.put("old")
        shelf.poll()
        shelf.poll(2 * 86_400)
        shelf.put("young")
        shelf.poll()
        assert kept(shelf) == ["old", "young"]
        shelf.poll(86_400)
        assert kept(shelf) == ["young"]
        shelf.put("old")
        shelf.poll()
        assert told(shelf)[-1] == ("UPDATED", None)


def test_versions_are_forgotten_when_they_are_not_wanted_any_more(shelf):
    instance = shelf.create(trackChanges=True, trackDeletes=False)
    shelf.put("b")
    shelf.poll()
    configured = json.loads(shelf.app.instances.get(instance).configuration["event.poller.configuration"])
    off = {"things": {**configured["things"], "trackChanges": False}}
    shelf.app.instances.update(instance, configuration={"event.poller.configuration": off})
    assert kept(shelf) == []


# Noise


def test_a_change_of_ignored_fields_only_is_no_event(shelf):
    shelf.create(ignoreFields=["seen"], trackDeletes=False)
    shelf.put("b", seen="never", name="Bob")
    shelf.poll()
    for day in range(3):
        shelf.clock.advance(10)
        shelf.put("b", seen=f"day {day}")
        shelf.poll()
        assert shelf.poll_state().summary["ignored"] == 1
        shelf.poll()
    assert shelf.told() == [("b", "CREATED", 1)]
    shelf.put("b", seen="again", name="Rob")
    shelf.poll()
    assert shelf.told()[1:] == [("b", "UPDATED", 2)]
    assert told(shelf)[-1] == ("UPDATED", None), "changes are not named where only noise is left out"


@pytest.mark.parametrize("ignored", ["Modified Time", "['Modified Time']", "$['Modified Time']"])
def test_an_ignored_field_may_have_a_name_with_spaces(shelf, ignored):
    shelf.create(ignoreFields=[ignored, "$['seen']"], trackDeletes=False)
    shelf.put("b", **{"Modified Time": 1}, seen="never")
    shelf.poll()
    shelf.clock.advance(10)
    shelf.put("b", **{"Modified Time": 2}, seen="once")
    shelf.poll()
    assert shelf.told() == [("b", "CREATED", 1)]
    assert shelf.poll_state().summary["ignored"] == 1


@pytest.mark.parametrize(
    ("after", "is_news"),
    [
        ({"x": 2, "list": [1, {"y": 1}]}, False),
        ({"list": [1, {"y": 1}]}, False),
        ({"x": 1, "list": [1, {"y": 2}]}, False),
        ({"x": 2, "list": [2, {"y": 1}]}, True),
        ({"x": 2, "list": [1, {"y": 1}], "z": 1}, True),
        ({"x": 2, "list": [True, {"y": 1}]}, True),
        (None, True),
    ],
)
def test_an_ignored_place_inside_a_field_does_not_hide_the_rest_of_it(shelf, after, is_news):
    shelf.create(ignoreFields=["notes.x", "notes.list[1].y"], trackDeletes=False)
    shelf.put("b", notes={"x": 1, "list": [1, {"y": 1}]})
    shelf.poll()
    shelf.clock.advance(10)
    shelf.put("b", notes=after)
    shelf.poll()
    assert shelf.told()[1:] == [("b", "UPDATED", 2)] * is_news


def test_a_change_that_shows_in_no_field_is_an_event(shelf):
    """Such as a comment on an incident: only the stamp and the counter tell of it."""
    shelf.create(ignoreFields=["seen"], trackChanges=True, trackDeletes=False)
    shelf.put("b", seen="never")
    shelf.poll()
    shelf.clock.advance(10)
    shelf.put("b", seen="once")
    shelf.poll()
    shelf.clock.advance(10)
    shelf.put("b")
    shelf.poll()
    assert told(shelf) == [("CREATED", None), ("UPDATED", ["count", "updated"])]
    assert shelf.told()[-1] == ("b", "UPDATED", 2)


def test_what_was_never_seen_before_is_an_event_whatever_is_ignored(shelf):
    shelf.create(ignoreFields=["seen"], trackDeletes=False)
    shelf.put("a", seen="today")
    shelf.poll()
    assert shelf.told() == [("a", "UPDATED", 1)]


def test_a_version_that_was_ignored_is_not_looked_at_again(shelf):
    shelf.create(ignoreFields=["seen"], trackDeletes=False)
    shelf.put("b", seen="never")
    shelf.poll()
    shelf.put("b", seen="once")
    shelf.poll()
    shelf.poll()
    assert "ignored" not in shelf.poll_state().summary
    assert shelf.poll_state().summary["seen"] == 1


def test_an_object_twice_on_a_page_keeps_its_numbers(shelf):
    """First as noise, then as news: numbers are for events."""
    shelf.create(ignoreFields=["seen"], trackChanges=True, trackDeletes=False)
    shelf.put("b", seen="never", name="Bob")
    shelf.poll()
    shelf.clock.advance(10)
    one = {**shelf.things["b"], "seen": "once", "count": 1, "updated": shelf.stamp()}
    two = {**one, "name": "Rob", "count": 2}
    three = {**two, "seen": "twice", "count": 3}
    from shelf import reply

    shelf.answer = lambda request: reply([one, two, three], headers={"X-Total-Count": "3"})
    shelf.poll()
    assert shelf.told() == [("b", "CREATED", 1), ("b", "UPDATED", 2)]
    assert told(shelf)[-1] == ("UPDATED", ["count", "name"])
    assert shelf.poll_state().summary["ignored"] == 2
    shelf.answer = lambda request: reply([{**three, "name": "Bob", "count": 4}], headers={"X-Total-Count": "1"})
    shelf.poll()
    assert shelf.told()[-1] == ("b", "UPDATED", 3)


# Comparing


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": 1}, {"a": "1"}, ["a"]),
        ({"a": None}, {}, ["a"]),
        ({"a": ""}, {"a": None}, ["a"]),
        ({"b": 1}, {"a": 1}, ["a", "b"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ([1], {"a": 1}, ["a"]),
        ("text", 5, []),
    ],
)
def test_which_fields_differ(before, after, changed):
    one, other = (msgspec.Raw(json.dumps(value).encode()) for value in (before, after))
    assert changed_fields(fields_of(one), fields_of(other)) == changed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.randoms())
def test_white_space_and_the_order_of_keys_are_no_change(record, shuffling: random.Random):
    items = list(record.items())
    shuffling.shuffle(items)
    one = msgspec.Raw(json.dumps(record, indent=2).encode())
    other = msgspec.Raw(msgspec.json.encode(dict(items)))
    assert changed_fields(fields_of(one), fields_of(other)) == []


@given(st.dictionaries(st.text(), JSON, max_size=5), st.dictionaries(st.text(), JSON, max_size=5))
def test_what_differs_is_named_and_nothing_else(before, after):
    one, other = (fields_of(msgspec.Raw(msgspec.json.encode(value))) for value in (before, after))
    expected = sorted(
        key
        for key in before.keys() | after.keys()
        if json.dumps(before.get(key, ...), sort_keys=True, default=str)
        != json.dumps(after.get(key, ...), sort_keys=True, default=str)
    )
    assert changed_fields(one, other) == expected


def test_a_thousand_incidents_take_less_than_two_megabytes(tmp_path):
    """The number that docs/explanation/deletes-and-changes.md gives."""
    chance = random.Random(1)
    words = [f"word{number}" for number in range(400)]
    with Shelf(tmp_path) as shelf:
        shelf.create(trackChanges=True, trackDeletes=False)
        shelf.poll()
        database, poll = shelf.app.parts.database, shelf.poll_state()
        before = size(shelf)
        records = {f"{number:032x}": incident(chance, words, number) for number in range(1000)}
        assert 2_800 < sum(map(len, records.values())) / 1000 < 3_400
        with database.write() as connection:
            snapshots.put(connection, poll, records, 0)
        assert size(shelf) - before < 2_000_000
        with database.read() as connection:
            assert snapshots.of(connection, poll, records) == records


def incident(chance: random.Random, words: list[str], number: int) -> bytes:
    fields = {f"field_{index}": "" for index in range(60)}
    links = {
        f"ref_{index}": {
            "link": f"https://acme.service-now.com/api/now/v2/table/sys_user/{chance.getrandbits(128):032x}",
            "value": f"{chance.getrandbits(128):032x}",
        }
        for index in range(5)
    }
    text = " ".join(chance.choices(words, k=150))
    return json.dumps({"sys_id": f"{number:032x}", **fields, **links, "description": text}).encode()


def size(shelf: Shelf) -> int:
    with shelf.app.parts.database.read() as connection:
        return connection.exec_driver_sql(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).scalar()
