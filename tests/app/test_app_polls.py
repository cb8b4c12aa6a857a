"""`app.polls`: polling now, cursors, backfills and recordings."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectory.app import Observer
from connectory.errors import ConfigurationError, ConflictError, NotFoundError, StoreError
from connectory.store import polls


@pytest.fixture
def instance(snow):
    return snow.create("incidents", "accounts")


@pytest.fixture
def busy(snow, instance):
    """An instance whose incidents another process polls now."""
    with snow.app.parts.database.write() as connection:
        now = int(snow.clock.now().timestamp()) * 1_000_000
        [held] = [
            poll
            for poll in polls.claim(
                connection, owner="elsewhere", due_at=now, now=now, until=now + 60_000_000, limit=9, instance_ids=None
            )
            if poll.resource == "incidents"
        ]
    return held.instance_id


def insert(snow, after: float = 10) -> str:
    snow.clock.advance(after)
    return snow.sandbox.insert("incident", {})["sys_id"]


class Watching(Observer):
    def __init__(self) -> None:
        self.found, self.summaries = [], []

    def announced(self, found):
        self.found += found

    def polled(self, summary):
        self.summaries.append(summary)


def test_what_is_due_is_polled_once(snow, instance):
    other, watching = snow.create(), Watching()
    snow.clock.advance(60)
    assert snow.app.polls.run_due(instances=[instance], observer=watching) == 2
    assert {summary.resource for summary in watching.summaries} == {"incidents", "accounts"}
    assert snow.app.polls.run_due(instances=[instance]) == 0
    assert snow.app.polls.run_due() == 1
    assert snow.app.instances.get(other).polls[0].last_poll == snow.clock.now()


def test_an_observer_hears_what_is_announced(snow, instance):
    made, watching = insert(snow), Watching()
    snow.clock.advance(60)
    snow.app.polls.run_due(observer=watching)
    assert [(event.object_id, event.type) for event in watching.found] == [(made, "CREATED")]


def test_what_waits_after_a_failure_can_be_made_due(snow, instance):
    with snow.switched(bad_gateway=True):
        snow.poll()
    assert snow.app.instances.get(instance).polls[0].failure
    assert snow.app.polls.run_due() == 0
    snow.app.polls.make_due([instance])
    assert snow.app.polls.run_due() == 2
    assert snow.app.instances.get(instance).polls[0].failure is None


def test_the_cursor_says_up_to_where_and_what_comes_next(snow, instance):
    made = insert(snow)
    snow.poll()
    found = snow.app.polls.cursor(instance, "incidents")
    assert found.since == snow.clock.now() - timedelta(seconds=5)
    assert found.remembered_objects == len([one for one in snow.told() if one[1] == made])
    assert found.next_window.start < found.since == found.next_window.end
    assert (found.poll.resource, found.lease_owner) == ("incidents", None)


def test_a_rewind_announces_nothing_twice(snow, instance):
    insert(snow)
    snow.poll()
    told, since = snow.told(), snow.app.polls.cursor(instance, "incidents").since
    moved = snow.app.polls.rewind("servicenowoauth", "incidents", since - timedelta(seconds=50))
    assert moved.since == since - timedelta(seconds=50)
    snow.poll()
    assert snow.told() == told


def test_a_reset_starts_as_a_new_instance_does(snow, instance):
    snow.poll()
    assert snow.told() == []
    snow.app.polls.reset(instance, "incidents", "all")
    snow.poll()
    assert [event[0] for event in snow.told()] == ["incidents"] * 3
    assert snow.app.polls.reset(instance, "incidents").since >= snow.clock.now() - timedelta(seconds=5)


def test_a_backfill_announces_what_was_missed(snow, instance):
    snow.poll()
    late = snow.clock.now() - timedelta(minutes=30)
    missed = snow.sandbox.insert("incident", {}, at=late)["sys_id"]
    span = (instance, "incidents", late - timedelta(minutes=1))
    rehearsed = snow.app.polls.backfill(*span, dry_run=True)
    assert (rehearsed.dry_run, rehearsed.created, snow.told()) == (True, 1, [])
    watching = Watching()
    done = snow.app.polls.backfill(*span, observer=watching)
    assert (done.dry_run, done.created, done.updated) == (False, 1, 0)
    assert [event.object_id for event in watching.found] == [missed]
    assert snow.app.polls.backfill(*span).seen == 1
    until = late - timedelta(seconds=30)
    assert snow.app.polls.backfill(*span, until).seen == 0


def test_a_span_that_ends_before_it_starts_is_refused(snow, instance):
    now = snow.clock.now()
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match="before it starts"):
            snow.app.polls.backfill(instance, "incidents", now, now - timedelta(hours=1), dry_run=dry_run)


@pytest.mark.parametrize(
    "call",
    [
        lambda app, *of: app.polls.cursor(*of),
        lambda app, *of: app.polls.rewind(*of, app.parts.clock.now()),
        lambda app, *of: app.polls.reset(*of),
        lambda app, *of: app.polls.backfill(*of, app.parts.clock.now()),
        lambda app, *of: app.polls.backfill(*of, app.parts.clock.now(), dry_run=True),
    ],
)
def test_what_is_not_polled_is_not_found(snow, instance, call):
    for of in ((99, "incidents"), ("nobody", "incidents"), (instance, "agents")):
        with pytest.raises(NotFoundError):
            call(snow.app, *of)


def test_an_instance_that_there_is_not_is_not_polled(snow):
    for call in (snow.app.polls.make_due, lambda ids: snow.app.polls.run_due(instances=ids)):
        with pytest.raises(NotFoundError, match="99"):
            call([99])


def test_a_date_that_is_none_is_refused(snow, instance):
    with pytest.raises(ConfigurationError, match="yesterday"):
        snow.app.polls.reset(instance, "incidents", "yesterday")


def test_a_cursor_stays_while_its_poll_runs(snow, busy):
    since = snow.app.polls.cursor(busy, "incidents").since
    for move in (
        lambda: snow.app.polls.rewind(busy, "incidents", since - timedelta(hours=1)),
        lambda: snow.app.polls.reset(busy, "incidents", "all"),
        lambda: snow.app.polls.backfill(busy, "incidents", since - timedelta(hours=1)),
    ):
        with pytest.raises(ConflictError):
            move()
    assert snow.app.polls.cursor(busy, "incidents").since == since


def test_polls_are_recorded(snow, instance, tmp_path):
    made, watching = insert(snow), Watching()
    snow.clock.advance(60)
    path = tmp_path / "polls.jsonl"
    assert snow.app.polls.record(path, instances=[instance], observer=watching) == 2
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert (kinds.count("poll"), kinds.count("end")) == (2, 2)
    assert [event.object_id for event in watching.found] == [made]


def test_a_recording_that_cannot_be_written_polls_nothing(snow, instance, tmp_path):
    snow.clock.advance(60)
    with pytest.raises(StoreError, match="cannot be written"):
        snow.app.polls.record(tmp_path / "no" / "polls.jsonl")
    assert snow.app.polls.run_due() == 2
