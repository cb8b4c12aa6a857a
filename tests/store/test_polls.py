"""Claims and leases: who polls what, and that nobody else writes."""

from __future__ import annotations

import pytest

from connectory.errors import StaleLeaseError
from connectory.store import instances, polls
from connectory.store.database import Database

MINUTE = 60_000_000


@pytest.fixture
def database(tmp_path):
    opened = Database.open(f"sqlite:///{tmp_path}/a.db")
    with opened.write() as connection:
        for number in (1, 2):
            instances.add(
                connection,
                {
                    "element_key": "e",
                    "name": str(number),
                    "tags": [],
                    "configuration": {},
                    "state": instances.ACTIVE,
                    "external_authentication": "none",
                    "created_at": 0,
                    "updated_at": 0,
                },
            )
        rows = [(1, "a", 30), (1, "b", 10), (2, "a", 20)]
        polls.add(
            connection,
            [
                {
                    "instance_id": instance,
                    "resource": resource,
                    "interval": MINUTE,
                    "since": 0,
                    "seen_from": 0,
                    "next_due_at": due,
                }
                for instance, resource, due in rows
            ],
        )
    yield opened
    opened.close()


def claim(database, owner="me", now=100, limit=10, **more):
    with database.write() as connection:
        return polls.claim(connection, owner=owner, due_at=now, now=now, until=now + MINUTE, limit=limit, **more)


def finished(since: int) -> dict:
    return {
        "since": since,
        "seen_from": 0,
        "next_due_at": 1000,
        "failures": 0,
        "failure": None,
        "failed_at": None,
        "polled_at": since,
        "summary": {},
        "quiet": 4,
    }


def test_a_poll_is_claimed_once(database):
    assert len(claim(database)) == 3
    assert claim(database, "you") == []


def test_the_longest_overdue_first(database):
    assert [(poll.instance_id, poll.resource) for poll in claim(database, limit=1)] == [(1, "b")]


def test_only_what_is_due(database):
    assert [poll.next_due_at for poll in claim(database, now=20)] in ([10, 20], [20, 10])


def test_only_the_instances_asked_for(database):
    assert {poll.instance_id for poll in claim(database, instance_ids=[2])} == {2}


@pytest.mark.parametrize("state", [instances.PAUSED, instances.NEEDS_REAUTH])
def test_only_active_instances(database, state):
    with database.write() as connection:
        instances.change(connection, 1, 0, {"state": state})
    assert {poll.instance_id for poll in claim(database)} == {2}


def test_a_claim_says_which_version_of_the_instance_it_found(database):
    with database.write() as connection:
        instances.change(connection, 2, 0, {"name": "two"})
    assert {(poll.instance_id, poll.instance_version) for poll in claim(database)} == {(1, 1), (2, 2)}


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing(database):
    mine = claim(database, instance_ids=[2])[0]
    theirs = claim(database, "you", now=100 + 2 * MINUTE, instance_ids=[2])[0]
    assert theirs.epoch == mine.epoch + 1
    with pytest.raises(StaleLeaseError), database.write() as connection:
        polls.hold(connection, mine)
    with pytest.raises(StaleLeaseError), database.write() as connection:
        polls.finish(connection, mine, finished(5))
    with database.write() as connection:
        polls.hold(connection, theirs)
        polls.finish(connection, theirs, finished(7))
    with database.read() as connection:
        held = polls.find(connection, 2)[0]
    assert (held.since, held.quiet) == (7, 4)


def test_the_leases_of_the_dead_are_free_at_once(database):
    claim(database)
    with database.write() as connection:
        polls.free_leases(connection, ["me"])
    assert len(claim(database, "you")) == 3


def test_next_due_waits_for_leases_of_others(database):
    claim(database)
    with database.read() as connection:
        assert polls.next_due(connection) == 100 + MINUTE
        assert polls.next_due(connection, [7]) is None


def test_seen_is_replaced_and_pruned(database):
    poll = claim(database, instance_ids=[2])[0]
    with database.write() as connection:
        polls.put_seen(connection, [(2, "a", "x", "v1", 1, 50), (2, "a", "y", "v1", 1, None)])
        polls.put_seen(connection, [(2, "a", "x", "v2", 2, 60)])
        assert polls.seen_of(connection, poll, ["x", "y", "z"]) == {
            "x": polls.Seen(version="v2", sequence=2),
            "y": polls.Seen(version="v1", sequence=1),
        }
        polls.prune_seen(connection, poll, before=61)
        assert set(polls.seen_of(connection, poll, ["x", "y"])) == {"y"}, "what has no date is kept"


def test_an_edit_does_not_touch_the_cursor(database):
    poll = claim(database, instance_ids=[2])[0]
    with database.write() as connection:
        polls.finish(connection, poll, finished(77))
        polls.configure(connection, 2, "a", active=True, interval=5 * MINUTE, due_at=10_000)
        row = polls.find(connection, 2)[0]
    assert (row.since, row.interval, row.next_due_at) == (77, 5 * MINUTE, 1000)
