"""How deliveries are made, sent in their order, and written down."""

from __future__ import annotations

import pytest
from mailroom import LEASE, NOW, announce, claim, due_of, result, snapshot, statuses
from sqlalchemy import text

from connectory.errors import StaleLeaseError
from connectory.store import deliveries, subscriptions
from connectory.store.lanes import CREATED, DELIVERED, QUEUED, RETRY


def test_the_oldest_of_a_lane_come_first_a_retry_among_them(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(9, 3), (8, 3), (7, 4), (6, 3)])
        lane = claim(connection)[0]
        waiting = deliveries.oldest(connection, lane, 2)
        assert [(held.notification_id, held.body, held.attempts) for held in waiting] == [(9, b"9", 0), (8, b"8", 0)]
        deliveries.record(connection, lane, [result(waiting[0], RETRY, due_at=NOW + 4)])
        waiting = deliveries.oldest(connection, lane, 20)
        assert [(held.notification_id, held.attempts) for held in waiting] == [(9, 1), (8, 0), (6, 0)]


def test_a_long_backlog_is_not_sorted_for_each_batch(database):
    """The whole of it, bodies included, went through a sort when the statuses were asked for together."""
    with database.read() as connection:
        query = "EXPLAIN QUERY PLAN " + deliveries._OLDEST.text
        values = {"of_subscription": 1, "of_lane": 1, "most": 20}
        plan = [row.detail for row in connection.execute(text(query), values)]
    assert not [step for step in plan if "TEMP B-TREE" in step]
    assert not [step for step in plan if step.startswith("SCAN d")]


def test_recording_writes_attempts_and_states_and_when_the_lane_is_due_again(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3), (3, 3)])
        [lane] = claim(connection)
        first, second, _ = deliveries.oldest(connection, lane, 3)
        deliveries.record(connection, lane, [result(first, DELIVERED), result(second, RETRY, due_at=NOW + 4_000_000)])
        assert statuses(connection) == [DELIVERED, RETRY, CREATED]
        # The third waits behind the second, though it is due.
        assert due_of(connection, subscription) == {3: NOW + 4_000_000}
        assert claim(connection, NOW + 3_999_999) == []
        found = deliveries.get(connection, first.id)
        assert (found["attempts"], found["first_attempt_at"], found["delivered_at"]) == (1, NOW, NOW + 12_000)
        [attempt] = deliveries.attempts_of(connection, first.id)
        assert (attempt["number"], attempt["status"], attempt["duration"], attempt["response"]) == (1, 200, 12, b"ok")
        [lane] = claim(connection, NOW + 4_000_000)
        [again, *_] = deliveries.oldest(connection, lane, 3)
        deliveries.record(connection, lane, [result(again, DELIVERED)])
        assert [attempt["number"] for attempt in deliveries.attempts_of(connection, second.id)] == [1, 2]
        assert due_of(connection, subscription) == {3: NOW}


def test_a_stale_claim_writes_nothing(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        [lane] = claim(connection)
        [held] = deliveries.oldest(connection, lane, 9)
        [newer] = claim(connection, NOW + LEASE)
    for outcome in (result(held, DELIVERED), result(held, QUEUED, deactivate="gone")):
        with database.write() as connection:
            before = snapshot(connection)
            # Caught inside, so that it is the function that writes nothing, not a rollback.
            with pytest.raises(StaleLeaseError, match="another worker"):
                deliveries.record(connection, lane, [outcome])
            assert snapshot(connection) == before
    with database.write() as connection:
        deliveries.record(connection, newer, [result(held, DELIVERED)])
        assert statuses(connection) == [DELIVERED]


def test_a_lane_that_was_sending_when_another_gave_up_queues_what_failed(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 4), (3, 4)])
        first, second = claim(connection)
        [held] = deliveries.oldest(connection, first, 9)
        arrived, failed = deliveries.oldest(connection, second, 9)
        deliveries.record(connection, first, [result(held, QUEUED, deactivate="gone")])
        deliveries.record(connection, second, [result(arrived, DELIVERED), result(failed, RETRY, due_at=NOW + 4)])
        assert statuses(connection) == [QUEUED, DELIVERED, QUEUED]
        assert due_of(connection, subscription) == {}


def test_deliveries_are_listed_newest_first_by_instance_and_status(database, subscription):
    with database.write() as connection:
        other = subscriptions.create(connection, 2, "http://other.test/", NOW)
        announce(connection, subscription, [(1, 3), (2, 4)])
        announce(connection, other, [(3, 3)], instance_id=2)
        [lane] = claim(connection, subscription_ids=[other])
        deliveries.record(
            connection, lane, [result(held, DELIVERED) for held in deliveries.oldest(connection, lane, 9)]
        )
        assert [row["notification_id"] for row in deliveries.find(connection)] == [3, 2, 1]
        assert [row["notification_id"] for row in deliveries.find(connection, limit=1)] == [3]
        assert [row["notification_id"] for row in deliveries.find(connection, status=CREATED)] == [2, 1]
        [row] = deliveries.find(connection, instance_id=2)
        assert (row["url"], row["instance_name"], row["resource"]) == ("http://other.test/", "toy 2", "things")
        assert deliveries.get(connection, row["id"])["body"] == b"3"
        assert deliveries.get(connection, 99) is None
        assert (deliveries.pending_count(connection), deliveries.pending_count(connection, [2])) == (2, 0)
