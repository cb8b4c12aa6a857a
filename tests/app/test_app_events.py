"""`app.events`: what was announced, for those who ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectory.app import as_json
from connectory.errors import NotFoundError


@pytest.fixture
def told(snow):
    """Two instances; the incidents a, b and c were announced to both, and then a again."""
    first, second = snow.create(), snow.create()
    ids = {}
    for name in "abc":
        snow.clock.advance(5)
        ids[name] = snow.sandbox.insert("incident", {"short_description": name})["sys_id"]
    snow.poll()
    snow.sandbox.update("incident", ids["a"], {"short_description": "a again"})
    snow.poll()
    return first, second, ids


def names(snow, found) -> list[str]:
    return [record["short_description"] for record in snow.app.events.records_of(found)]


def test_the_newest_come_last(snow, told):
    first, _, ids = told
    found = snow.app.events.find(instance=first)
    assert names(snow, found) == ["a", "b", "c", "a again"]
    assert [event.id for event in found] == sorted(event.id for event in found)
    assert names(snow, snow.app.events.find(instance=first, limit=2)) == ["c", "a again"]
    assert len(snow.app.events.find(limit=None)) == 8
    again = found[-1]
    assert (again.object_id, again.event_type, again.sequence) == (ids["a"], "UPDATED", 2)
    assert again.date == datetime(2026, 3, 1, 12, 1, 15, tzinfo=UTC)


def test_they_are_narrowed_to_an_object_or_a_resource(snow, told):
    _, second, ids = told
    assert names(snow, snow.app.events.find(instance=second, object_id=ids["a"])) == ["a", "a again"]
    assert len(snow.app.events.find(resource="incidents")) == 8
    assert snow.app.events.find(resource="accounts") == []
    assert snow.app.events.find(object_id="nothing") == []


def test_the_rest_is_read_from_the_last_one_on(snow, told):
    _, second, _ = told
    read, last = [], 0
    while more := snow.app.events.after(last, limit=3):
        read += more
        last = more[-1].id
    assert read == snow.app.events.find(limit=None)
    assert snow.app.events.last_id() == last
    assert names(snow, snow.app.events.after(read[4].id, instance=second)) == names(
        snow, [event for event in read[5:] if event.instance_id == second]
    )
    assert snow.app.events.after(0, resource="accounts") == []


def test_there_are_none_before_the_first(snow):
    assert (snow.app.events.last_id(), snow.app.events.find(), snow.app.events.after(0)) == (0, [], [])
    assert snow.app.events.records_of([]) == []


def test_an_instance_that_there_is_not_is_not_found(snow, told):
    for call in (snow.app.events.find, lambda instance: snow.app.events.after(0, instance=instance)):
        for reference in (99, "nobody"):
            with pytest.raises(NotFoundError):
                call(instance=reference)


def test_one_is_json_as_every_face_shows_it(snow, told):
    shown = as_json(snow.app.events.find(instance=told[0])[0])
    assert shown.pop("objectId") == told[2]["a"]
    assert shown == {
        "kind": "event",
        "id": 1,
        "instanceId": told[0],
        "objectType": "incidents",
        "eventType": "CREATED",
        "sequence": 1,
        "date": "2026-03-01T12:00:05Z",
        "notificationId": shown["notificationId"],
    }
