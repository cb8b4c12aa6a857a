"""Moving a cursor, and announcing a span that was missed: nothing twice, nothing while a poll runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectory.clock import from_micros, to_micros
from connectory.errors import ConfigurationError, ConflictError, NotFoundError, ProviderError, StaleLeaseError
from connectory.insight.rehearsal import rehearse
from connectory.polling.backfill import backfill
from connectory.polling.cursor import reset, rewind, show
from connectory.records.summary import Observer
from connectory.serialize import as_json
from connectory.store import events, polls
from toy import Toy
from world import entry

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNDATED = {
    "event.poller.configuration": {
        "incidents": entry("incidents") | {"datesConfiguration": {"updatedDateField": "sys_updated_on"}}
    }
}


def made(snow, *stamps: datetime) -> list[str]:
    return [snow.sandbox.insert("incident", {}, at=stamp)["sys_id"] for stamp in stamps]


def ids(told) -> list[str]:
    return sorted(event[1] for event in told)


@pytest.fixture
def missed(snow):
    """An instance that has announced two records, and three that became visible too late for it to see."""
    instance = snow.create()
    snow.poll(60)
    told = made(snow, START + timedelta(seconds=70), START + timedelta(seconds=80))
    snow.poll(60)
    for _ in range(3):
        snow.poll(300)
    late = made(snow, *(START + timedelta(seconds=second) for second in (90, 200, 500)))
    snow.poll(60)
    assert ids(snow.told()) == sorted(told)
    return instance, told, late


def claim(snow) -> polls.PollRow:
    """As a worker does whose poll then runs on and on."""
    snow.clock.advance(60)
    with snow.app.parts.database.write() as connection:
        now = to_micros(snow.clock.now())
        return polls.claim(connection, owner="host:1:abc", due_at=now, now=now, until=now + 180_000_000, limit=1)[0]


def test_it_is_shown_with_the_window_that_comes_next(snow):
    instance = snow.create()
    snow.clock.advance(10)
    made(snow, snow.clock.now())
    snow.poll(60)
    snow.clock.advance(60)
    shown = as_json(show(snow.app.parts, instance, "incidents"))
    assert shown["since"] == "2026-03-01T12:01:05Z"
    assert shown["rememberedFrom"] == "2026-03-01T12:00:00Z"
    assert shown["nextWindow"] == {"start": "2026-03-01T12:00:05Z", "end": "2026-03-01T12:02:05Z"}
    assert (shown["rememberedObjects"], shown["leaseOwner"]) == (1, None)


def test_a_rewind_finds_what_was_never_announced_and_repeats_nothing(snow, missed):
    instance, told, late = missed
    cursor = rewind(snow.app.parts, instance, "incidents", START + timedelta(seconds=60))
    assert cursor.since == cursor.remembered_from == START + timedelta(seconds=60)
    assert snow.poll(0) == 1
    assert ids(snow.told()) == sorted(told + late)
    snow.poll(60)
    assert len(snow.told()) == 5


def test_a_rewind_starts_exactly_where_it_was_told_to(snow, missed):
    instance, told, late = missed
    rewind(snow.app.parts, instance, "incidents", START + timedelta(seconds=200))
    snow.poll(0)
    assert ids(snow.told()) == sorted(told + late[1:])


def test_a_rewind_does_not_go_forward(snow):
    instance = snow.create()
    with pytest.raises(ConfigurationError, match="after the cursor"):
        rewind(snow.app.parts, instance, "incidents", START + timedelta(hours=1))


def test_a_poll_that_runs_refuses_a_move_and_one_that_is_gone_does_not(snow, missed):
    instance, _, _ = missed
    claim(snow)
    before = snow.state()
    for move in (
        lambda: rewind(snow.app.parts, instance, "incidents", START),
        lambda: reset(snow.app.parts, instance, "incidents"),
        lambda: backfill(snow.app.parts, instance, "incidents", START),
    ):
        with pytest.raises(ConflictError, match="host:1:abc"):
            move()
    assert snow.state() == before
    assert as_json(show(snow.app.parts, instance, "incidents"))["leaseOwner"] == "host:1:abc"
    snow.clock.advance(181)
    rewind(snow.app.parts, instance, "incidents", START)
    assert snow.state().lease_owner is None


def test_a_worker_that_wakes_up_after_a_move_writes_nothing(snow, missed):
    instance, _, _ = missed
    stale = claim(snow)
    snow.clock.advance(181)
    rewind(snow.app.parts, instance, "incidents", START)
    with pytest.raises(StaleLeaseError), snow.app.parts.database.write() as connection:
        polls.hold(connection, stale)
    assert snow.state().since == to_micros(START)


def test_a_killed_process_holds_nothing(snow, missed):
    instance, _, _ = missed
    with snow.app.parts.database.write() as connection:
        now = to_micros(snow.clock.now()) + 60_000_000
        owner = snow.app.parts.owner
        polls.claim(connection, owner=owner, due_at=now, now=now, until=now + 180_000_000, limit=1)
    snow.die()
    assert rewind(snow.app.parts, instance, "incidents", START).lease_owner is None


def test_a_reset_begins_like_a_new_instance(snow, missed):
    instance, told, _ = missed
    cursor = reset(snow.app.parts, instance, "incidents")
    assert cursor.since == cursor.remembered_from == snow.clock.now()
    assert (cursor.remembered_objects, cursor.poll.last_poll, cursor.poll.failures) == (0, None, 0)
    snow.poll(0)
    snow.poll(60)
    assert ids(snow.told()) == sorted(told)


def test_a_reset_to_all_announces_what_never_was(snow, missed):
    instance, _, _ = missed
    reset(snow.app.parts, instance, "incidents", "all")
    snow.poll(0)
    assert ids(snow.told()) == sorted(snow.sandbox.tables["incident"])
    assert {event[3] for event in snow.told()} == {1}


def test_a_reset_to_a_date_can_skip(snow, missed):
    instance, told, late = missed
    reset(snow.app.parts, instance, "incidents", "2026-03-01T12:03:20Z")
    snow.poll(0)
    assert ids(snow.told()) == sorted(told + late[1:])
    with pytest.raises(ConfigurationError, match="neither"):
        reset(snow.app.parts, instance, "incidents", "yesterday")


def test_a_version_stays_quiet_after_a_reset_and_numbers_go_on(snow):
    instance = snow.create()
    snow.clock.advance(10)
    incident = made(snow, snow.clock.now())[0]
    snow.poll(60)
    reset(snow.app.parts, instance, "incidents", "2026-03-01T12:00:00Z")
    snow.poll(0)
    assert len(snow.told()) == 1
    snow.sandbox.update("incident", incident, {"short_description": "new"})
    snow.poll(60)
    assert snow.told()[1:] == [("incidents", incident, "UPDATED", 2)]


def test_records_without_dates_have_no_span(snow):
    instance = snow.create(**UNDATED)
    with pytest.raises(ConfigurationError, match="no date fields"):
        rewind(snow.app.parts, instance, "incidents", START)


def test_what_is_not_polled_is_not_found(snow):
    instance = snow.create()
    for call in (
        lambda: show(snow.app.parts, instance, "accounts"),
        lambda: show(snow.app.parts, 99, "incidents"),
        lambda: rewind(snow.app.parts, instance, "accounts", START),
        lambda: reset(snow.app.parts, instance, "accounts"),
        lambda: backfill(snow.app.parts, instance, "accounts", START),
    ):
        with pytest.raises(NotFoundError):
            call()


# Backfill


def test_a_dry_run_counts_and_writes_nothing_and_the_run_does_the_same(snow, missed):
    instance, told, late = missed
    before = snow.state()
    counted = rehearse(snow.app.parts, instance, "incidents", START)
    assert (counted.created, counted.updated, counted.seen, counted.dry_run) == (3, 0, 2, True)
    assert (snow.state(), len(snow.told())) == (before, 2)
    done = backfill(snow.app.parts, instance, "incidents", START)
    assert done == replace(counted, dry_run=False)
    assert ids(snow.told()) == sorted(told + late)


def test_a_backfill_leaves_the_poll_as_it_was(snow, missed):
    instance, _, _ = missed
    before = snow.state()
    backfill(snow.app.parts, instance, "incidents", START)
    after = snow.state()
    assert after.epoch == before.epoch + 1
    assert (after.since, after.seen_from, after.next_due_at, after.polled_at, after.summary) == (
        before.since,
        before.seen_from,
        before.next_due_at,
        before.polled_at,
        before.summary,
    )
    assert after.lease_owner is None


def test_both_ends_of_a_span_belong_to_it_and_what_lies_outside_does_not(snow, missed):
    instance, told, late = missed
    span = START + timedelta(seconds=90), START + timedelta(seconds=200)
    backfill(snow.app.parts, instance, "incidents", *span)
    assert ids(snow.told()) == sorted(told + late[:2])


def test_a_second_backfill_and_the_polls_after_it_repeat_nothing(snow, missed):
    instance, told, late = missed
    backfill(snow.app.parts, instance, "incidents", START)
    assert backfill(snow.app.parts, instance, "incidents", START).created == 0
    snow.poll(60)
    assert ids(snow.told()) == sorted(told + late)


def test_old_records_are_updated_ones(snow):
    instance = snow.create()
    snow.clock.advance(10)
    old = next(iter(snow.sandbox.tables["incident"]))
    with snow.switched(commit_delay=0):
        snow.sandbox.update("incident", old, {"short_description": "changed"})
    snow.clock.advance(600)
    reset(snow.app.parts, instance, "incidents", "now")
    assert backfill(snow.app.parts, instance, "incidents", START).updated == 1
    assert snow.told() == [("incidents", old, "UPDATED", 1)]


def test_a_span_that_ends_before_it_starts_is_refused(snow):
    instance = snow.create()
    with pytest.raises(ConfigurationError, match="before it starts"):
        backfill(snow.app.parts, instance, "incidents", START + timedelta(hours=1))
    with pytest.raises(ConfigurationError, match="after the cursor"):
        backfill(snow.app.parts, instance, "incidents", START + timedelta(days=1), START + timedelta(days=2))


@pytest.mark.parametrize("ask", [backfill, rehearse])
def test_a_failing_provider_is_an_error_and_frees_the_poll(snow, missed, ask):
    instance, _, _ = missed
    before = snow.state()
    with snow.switched(bad_gateway=True), pytest.raises(ProviderError):
        ask(snow.app.parts, instance, "incidents", START)
    after = snow.state()
    assert (after.failures, after.next_due_at, after.lease_owner) == (0, before.next_due_at, None)
    assert backfill(snow.app.parts, instance, "incidents", START).created == 3


def test_a_long_backfill_keeps_its_lease(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=10)}})
    made(snow, *(START + timedelta(seconds=second) for second in range(1, 41)))
    snow.clock.advance(3600)
    reset(snow.app.parts, instance, "incidents", "now")
    held = []

    class Slow(Observer):
        def page_read(self, summary):
            snow.clock.advance(100)
            until = snow.state().lease_until
            held.append(None if until is None else until - to_micros(snow.clock.now()))

    assert backfill(snow.app.parts, instance, "incidents", START, observer=Slow()).created == 40
    assert len(held) == 4
    assert min(held[:-1]) > 0
    assert held[-1] is None


def test_a_backfill_that_is_killed_is_taken_up_again_and_repeats_nothing(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=10)}})
    records = made(snow, *(START + timedelta(seconds=second) for second in range(1, 41)))
    snow.clock.advance(3600)
    reset(snow.app.parts, instance, "incidents", "now")

    class Killed(BaseException):
        pass

    class Killer(Observer):
        def page_read(self, summary):
            if summary.pages == 2:
                snow.die()
                raise Killed

    with pytest.raises(Killed):
        backfill(snow.app.parts, instance, "incidents", START, observer=Killer())
    assert len(snow.told()) == 20
    done = backfill(snow.app.parts, instance, "incidents", START)
    assert (done.created, done.seen) == (20, 20)
    assert ids(snow.told()) == sorted(records)


# The edges of moves and spans


def test_a_rewind_to_the_cursor_itself_is_none_and_what_is_remembered_stays(snow, missed):
    instance, _, _ = missed
    made(snow, snow.clock.now())
    snow.poll(60)
    before = show(snow.app.parts, instance, "incidents")
    cursor = rewind(snow.app.parts, instance, "incidents", before.since)
    assert (cursor.since, cursor.remembered_objects) == (before.since, before.remembered_objects)
    assert cursor.remembered_objects > 0


def test_a_reset_to_now_means_the_providers_now(snow):
    snow.sandbox.clock.skew(-30)
    instance = snow.create()
    snow.poll(60)
    assert reset(snow.app.parts, instance, "incidents").since == snow.sandbox.clock.now()


def test_records_with_a_created_date_alone_have_a_span(snow):
    dates = {"createdDateField": "sys_created_on", "createdDateFormat": "yyyy-MM-dd HH:mm:ss"}
    entries = {"incidents": entry("incidents") | {"datesConfiguration": dates}}
    instance = snow.create(**{"event.poller.configuration": entries})
    assert rewind(snow.app.parts, instance, "incidents", START - timedelta(hours=1)).since == START - timedelta(hours=1)


def test_a_span_begins_with_the_second_that_its_start_is_in(snow, missed):
    instance, told, late = missed
    backfill(snow.app.parts, instance, "incidents", START + timedelta(seconds=90, microseconds=500_000))
    assert ids(snow.told()) == sorted(told + late)


def test_a_span_may_begin_where_the_cursor_is(snow, missed):
    instance, _, _ = missed
    done = backfill(snow.app.parts, instance, "incidents", from_micros(snow.state().since))
    assert (done.created, done.updated, done.start) == (0, 0, done.end)


@pytest.mark.parametrize("ask", [backfill, rehearse])
def test_what_is_later_than_a_span_is_counted_and_what_has_no_date_is_announced(tmp_path, ask):
    """By a provider that lists everything, whatever it is asked for."""
    with Toy(tmp_path) as toy:
        instance = toy.create()
        toy.poll()
        start, end = toy.clock.now() - timedelta(seconds=30), from_micros(toy.states()[0].since)
        stamps = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, end, end + timedelta(seconds=1))]
        toy.things = [{"id": str(number), "updated": stamp} for number, stamp in enumerate([*stamps, "soon"])]
        found = ask(toy.app.parts, instance, "things", start, end)
        assert (found.created + found.updated, found.outside) == (3, 1)
        assert found.warnings == ("things 3 has no readable date",)
        assert toy.told() == ([] if ask is rehearse else ["0", "1", "3"])


def test_numbers_go_on_after_a_reset_of_records_without_dates(tmp_path):
    """The poll after the reset only remembers them; it takes no number, and none is given twice."""
    with Toy(tmp_path) as toy:
        undated = {
            "url": "/hubs/general/things",
            "idField": "id",
            "datesConfiguration": {"updatedDateField": "updated"},
        }
        instance = toy.create(**{"event.poller.configuration": {"things": undated}})
        toy.things = [{"id": "0", "name": "before"}]
        toy.poll()
        for name in ("first", "second"):
            toy.things[0]["name"] = name
            toy.poll()
        reset(toy.app.parts, instance, "things")
        toy.things[0]["name"] = "remembered"
        toy.poll()
        assert len(toy.told()) == 2
        toy.things[0]["name"] = "third"
        toy.poll()
        assert toy.states()[0].failure is None
        with toy.app.parts.database.read() as connection:
            assert [event.sequence for event in events.find(connection, limit=None)] == [1, 2, 3]
