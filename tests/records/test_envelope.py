"""Notifications: which events share one, in which order, on which lane, and what the body says."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from connectory.clock import from_micros, to_micros
from connectory.records.envelope import java_date
from connectory.records.summary import Observer
from connectory.store import events, subscriptions, tables
from shelf import Shelf, reply

CALLBACK = {"event.notification.callback.url": "http://127.0.0.1:9/"}


@pytest.fixture
def shelf(tmp_path):
    with Shelf(tmp_path) as opened:
        yield opened


def bodies(snow) -> dict[int, dict]:
    """The bodies of all notifications by their number."""
    with snow.app.parts.database.read() as connection:
        return {row.id: json.loads(row.body) for row in connection.execute(tables.notifications.select())}


def stored(snow) -> list[events.EventRow]:
    with snow.app.parts.database.read() as connection:
        return events.find(connection, limit=None)


def lanes_by_notification(snow) -> dict[int, set[int]]:
    found = defaultdict(set)
    with snow.app.parts.database.read() as connection:
        for row in connection.execute(tables.deliveries.select()):
            found[row.notification_id].add(row.lane)
    return found


def insert(snow, count: int) -> list[str]:
    return [snow.sandbox.insert("incident", {"short_description": f"{number}"})["sys_id"] for number in range(count)]


def test_all_events_of_an_object_are_on_one_lane(snow):
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    made = insert(snow, 12)
    snow.poll()
    for number in range(5):
        for incident in made:
            snow.sandbox.update("incident", incident, {"short_description": f"change {number}"})
        snow.poll()
    lanes = lanes_by_notification(snow)
    lanes_of_object = defaultdict(set)
    for event in stored(snow):
        lanes_of_object[event.object_id] |= lanes[event.notification_id]
    assert len(stored(snow)) == 6 * 12
    assert {len(used) for used in lanes_of_object.values()} == {1}
    assert len(set.union(*lanes_of_object.values())) > 1, "the objects share the lanes out"


def test_the_lane_of_an_object_stays_the_same_from_one_release_to_the_next(snow):
    """A backlog may be older than the release that delivers it: the next event must queue up behind it."""
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    names = ("ab" * 16, "7f" * 16, "c0" * 16, "5" * 32)
    for name in names:
        snow.sandbox.insert("incident", {"sys_id": name})
    snow.poll()
    lanes = lanes_by_notification(snow)
    assert {event.object_id: lanes[event.notification_id] for event in stored(snow)} == {
        "ab" * 16: {6},
        "7f" * 16: {2},
        "c0" * 16: {0},
        "5" * 32: {4},
    }


def test_a_notification_holds_ten_events_at_most(snow):
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    made = insert(snow, 200)
    snow.poll()
    counts = [len(body["message"]["events"]) for body in bodies(snow).values()]
    assert max(counts) == 10
    assert sum(counts) == len(made)


def test_the_records_are_in_the_order_of_the_events(snow):
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    insert(snow, 100)
    snow.poll()
    told = {number: body["message"] for number, body in bodies(snow).items()}
    several = [message for message in told.values() if len(message["events"]) > 1]
    assert len(several) > 4
    for message in told.values():
        ids = [event["objectId"] for event in message["events"]]
        assert [record["sys_id"] for record in message["raw"]["incidents"]] == ids
    for number, message in told.items():
        placed = sorted((event.position, event.object_id) for event in stored(snow) if event.notification_id == number)
        assert placed == [(place, event["objectId"]) for place, event in enumerate(message["events"])]


def test_events_of_one_lane_are_in_the_order_of_the_page(shelf):
    """Also where an object is on the page twice, and its later version comes before another object."""
    shelf.create(trackDeletes=False, configuration=CALLBACK)
    shelf.clock.advance(10)
    for number in range(9):
        shelf.put(f"{number:02}")
    one, *others = shelf.things.values()
    page = [*others, one, *({**thing, "count": 1} for thing in (others[3], one, others[0]))]
    shelf.answer = lambda _request: reply(page, headers={"X-Total-Count": str(len(page))})
    shelf.poll()
    wanted = [(thing["id"], thing["count"]) for thing in page]
    assert len(shelf.told()) == len(page)
    for body in shelf.bodies():
        message = body["message"]
        records = [(record["id"], record["count"]) for record in message["raw"]["things"]]
        assert records == [key for key in wanted if key in records]
        assert [key for key, _ in records] == [event["objectId"] for event in message["events"]]
        assert [count + 1 for _, count in records] == [event["sequence"] for event in message["events"]]


def test_the_action_is_that_of_the_first_event(snow):
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    old = list(snow.sandbox.tables["incident"])
    made = insert(snow, 30)
    snow.poll()
    for incident in made[::2]:
        snow.sandbox.update("incident", incident, {"short_description": "changed"})
    for incident in old:
        snow.sandbox.update("incident", incident, {"short_description": "changed"})
    insert(snow, 30)
    snow.poll()
    messages = [(body["action"], body["message"]["events"]) for body in bodies(snow).values()]
    mixed = [found for _, found in messages if found[0]["eventType"] != found[-1]["eventType"]]
    assert mixed, "some notification begins and ends with different types"
    verbs = {"CREATED": "create", "UPDATED": "update"}
    assert [action for action, _ in messages] == [verbs[found[0]["eventType"]] for _, found in messages]


def test_the_date_of_an_event_is_that_of_its_record(snow):
    snow.create(**CALLBACK)
    snow.clock.advance(10)
    moment = snow.clock.now()
    insert(snow, 1)
    snow.poll()
    (body,) = bodies(snow).values()
    assert body["message"]["events"][0]["date"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [from_micros(event.date) for event in stored(snow)] == [moment]
    assert body["createdDate"] == java_date(snow.clock.now())


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2015, 9, 22, 19, 48, 3, tzinfo=UTC), "Tue Sep 22 19:48:03 UTC 2015"),
        (datetime(2026, 1, 4, 0, 0, 0, tzinfo=UTC), "Sun Jan 04 00:00:00 UTC 2026"),
        (datetime(2026, 12, 28, 23, 59, 59, 999999, tzinfo=UTC), "Mon Dec 28 23:59:59 UTC 2026"),
    ],
)
def test_the_created_date_is_as_java_writes_it(moment, text):
    assert java_date(moment) == text


def test_every_subscription_of_an_instance_gets_each_notification(snow):
    instance = snow.create(**CALLBACK)
    with snow.app.parts.database.write() as connection:
        second = subscriptions.create(connection, instance, "http://127.0.0.1:10/", 0)
    snow.app.instances.update(instance, configuration={"event.poller.refresh_interval": 2})
    snow.clock.advance(10)
    insert(snow, 20)
    snow.poll(120)
    with snow.app.parts.database.read() as connection:
        rows = connection.execute(tables.deliveries.select()).all()
    by_subscription = defaultdict(list)
    for row in rows:
        by_subscription[row.subscription_id].append((row.notification_id, row.lane))
    assert len(by_subscription) == 2
    (first,) = by_subscription.keys() - {second}
    assert sorted(by_subscription[second]) == sorted(by_subscription[first])
    assert {number for number, _ in by_subscription[second]} == set(bodies(snow))


def test_those_who_watch_are_told_what_was_stored(snow):
    told = []

    class Watching(Observer):
        def announced(self, found):
            told.extend(found)

    snow.create(**CALLBACK)
    snow.clock.advance(10)
    insert(snow, 30)
    snow.clock.advance(60)
    snow.app.polls.run_due(observer=Watching())
    seen = sorted((one.object_id, one.type, one.sequence, one.date, one.notification_id) for one in told)
    kept = sorted((one.object_id, one.type, one.sequence, one.date, one.notification_id) for one in stored(snow))
    assert seen == kept
    assert len(seen) == 30
    assert to_micros(snow.clock.now()) not in {one.date for one in told}
