"""The queries by which deliveries are made, claimed and written down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert, select, text

from connectory.errors import StaleLeaseError
from connectory.store import deliveries
from connectory.store.database import Database
from connectory.store.deliveries import CREATED, DELIVERED, QUEUED, RETRY, Result
from connectory.store.tables import attempts, instances, lanes, notifications, subscriptions
from connectory.store.tables import deliveries as rows

NOW = 1_000_000_000
LEASE = 120_000_000
URL = "http://receiver.test/hook"


@pytest.fixture
def database(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/store.db")
    with database.write() as connection:
        connection.execute(
            insert(instances),
            [
                {
                    "id": number,
                    "element_key": "toy",
                    "name": f"toy {number}",
                    "tags": [],
                    "configuration": {},
                    "state": "active",
                    "external_authentication": "none",
                    "version": 1,
                    "created_at": 0,
                    "updated_at": 0,
                }
                for number in (1, 2)
            ],
        )
    yield database
    database.close()


@pytest.fixture
def subscription(database):
    with database.write() as connection:
        return deliveries.create_subscription(connection, 1, URL, NOW)


def announce(connection, subscription_id, made, now=NOW, instance_id=1):
    """Notifications of these ids in these lanes, and their deliveries."""
    connection.execute(
        insert(notifications),
        [
            {"id": number, "instance_id": instance_id, "resource": "things", "body": b"%d" % number, "created_at": now}
            for number, _ in made
        ],
    )
    deliveries.add_deliveries(connection, subscription_id, made, now)


def claim(connection, now=NOW, limit=8, owner="me", **options):
    claimed = deliveries.claim_lanes(connection, owner=owner, now=now, until=now + LEASE, limit=limit, **options)
    return sorted(claimed, key=lambda lane: (lane.subscription_id, lane.lane))


def result(delivery, becomes, due_at=None, deactivate=None):
    return Result(
        delivery=delivery,
        started_at=NOW,
        duration=12,
        status=200 if becomes == DELIVERED else 500,
        error=None,
        response=b"ok",
        becomes=becomes,
        due_at=due_at,
        deactivate=deactivate,
    )


def due_of(connection, subscription_id):
    query = select(lanes.c.lane, lanes.c.due_at).where(lanes.c.subscription_id == subscription_id)
    return {row.lane: row.due_at for row in connection.execute(query) if row.due_at is not None}


def statuses(connection):
    return [row.status for row in connection.execute(select(rows.c.status).order_by(rows.c.id))]


def test_a_subscription_has_eight_lanes_with_nothing_to_send(database, subscription):
    with database.read() as connection:
        assert len(connection.execute(select(lanes)).all()) == deliveries.LANES == 8
        assert due_of(connection, subscription) == {}
        assert deliveries.next_due(connection) is None


def test_deliveries_make_their_lanes_due_and_no_later(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3), (3, 5)])
        announce(connection, subscription, [(4, 3), (5, 6)], now=NOW + 7)
        assert due_of(connection, subscription) == {3: NOW, 5: NOW, 6: NOW + 7}
        assert deliveries.next_due(connection) == NOW
        assert deliveries.pending_count(connection) == 5


def test_what_a_deactivated_subscription_would_get_is_queued(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        deliveries.deactivate(connection, subscription, "gone")
        announce(connection, subscription, [(2, 3), (3, 4)])
        assert statuses(connection) == [QUEUED, QUEUED, QUEUED]
        assert due_of(connection, subscription) == {}
        assert claim(connection, NOW + 10**12) == []
        assert deliveries.pending_count(connection) == 3
        [state] = deliveries.subscription_states(connection, 1)
        assert (state["state"], state["state_reason"]) == ("deactivated", "gone")


def test_a_lane_is_claimed_once_until_its_lease_runs_out(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 5)])
        first = claim(connection)
        assert [(lane.lane, lane.epoch, lane.url, lane.instance_id) for lane in first] == [
            (3, 1, URL, 1),
            (5, 1, URL, 1),
        ]
        assert claim(connection) == []
        assert claim(connection, NOW + LEASE - 1) == []
        assert deliveries.next_due(connection) == NOW + LEASE
        assert [lane.epoch for lane in claim(connection, NOW + LEASE)] == [2, 2]


def test_a_lane_is_not_claimed_before_it_is_due(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        assert claim(connection, NOW - 1) == []


def test_a_claim_takes_the_longest_overdue_first_and_no_more_than_asked(database, subscription):
    with database.write() as connection:
        for number, lane in enumerate((4, 2, 7), 1):
            announce(connection, subscription, [(number, lane)], now=NOW + number)
        claimed = [claim(connection, NOW + 10, limit=1)[0].lane for _ in range(3)]
        assert claimed == [4, 2, 7]


def test_a_claim_can_be_narrowed(database, subscription):
    with database.write() as connection:
        other = deliveries.create_subscription(connection, 2, URL, NOW)
        announce(connection, subscription, [(1, 0)])
        announce(connection, other, [(2, 0)], instance_id=2)
        assert claim(connection, but=[subscription, other]) == []
        assert claim(connection, instance_ids=[7]) == []
        assert deliveries.next_due(connection, [7]) is None
        assert [lane.subscription_id for lane in claim(connection, subscription_ids=[other])] == [other]
        assert [lane.subscription_id for lane in claim(connection, instance_ids=[1])] == [subscription]


def test_freed_leases_can_be_claimed_at_once(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        claim(connection, owner="dead")
        deliveries.free_leases(connection, ["another"])
        assert claim(connection) == []
        deliveries.free_leases(connection, ["dead"])
        assert len(claim(connection)) == 1


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


def test_a_lane_that_was_emptied_has_nothing_to_send(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        [lane] = claim(connection)
        deliveries.record(
            connection, lane, [result(held, DELIVERED) for held in deliveries.oldest(connection, lane, 9)]
        )
        assert due_of(connection, subscription) == {}
        assert deliveries.pending_count(connection) == 0
        announce(connection, subscription, [(2, 3)], now=NOW + 1)
        assert due_of(connection, subscription) == {3: NOW + 1}


def test_a_lane_can_be_given_a_rest(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        [lane] = claim(connection)
        deliveries.record(connection, lane, [], not_before=NOW + 30)
        assert due_of(connection, subscription) == {3: NOW + 30}


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


def snapshot(connection):
    return [connection.execute(select(table)).all() for table in (lanes, rows, attempts, subscriptions)]


def test_giving_up_deactivates_the_subscription_and_queues_all_its_lanes(database, subscription):
    with database.write() as connection:
        other = deliveries.create_subscription(connection, 2, URL, NOW)
        announce(connection, subscription, [(1, 3), (2, 3), (3, 4)])
        announce(connection, other, [(4, 3)], instance_id=2)
        [lane] = claim(connection, limit=1, subscription_ids=[subscription])
        [held, *_] = deliveries.oldest(connection, lane, 9)
        deliveries.record(connection, lane, [result(held, QUEUED, deactivate="ten attempts failed")])
        assert statuses(connection) == [QUEUED, QUEUED, QUEUED, CREATED]
        assert due_of(connection, subscription) == {}
        assert due_of(connection, other) == {3: NOW}


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


def test_reactivating_sends_all_that_waited_in_its_order_with_all_its_retries(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3), (3, 4)])
        lane = claim(connection)[0]
        [held, *_] = deliveries.oldest(connection, lane, 9)
        deliveries.record(connection, lane, [result(replace(held, attempts=9), QUEUED, deactivate="gone")])
        announce(connection, subscription, [(4, 3)])
        deliveries.reactivate(connection, subscription, NOW + 50)
        assert due_of(connection, subscription) == {3: NOW + 50, 4: NOW + 50}
        [lane, *_] = claim(connection, NOW + LEASE)
        waiting = deliveries.oldest(connection, lane, 9)
        assert [(held.notification_id, held.attempts) for held in waiting] == [(1, 0), (2, 0), (4, 0)]


def test_what_waits_goes_to_a_new_url_at_once(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3)])
        [lane] = claim(connection)
        [held, *_] = deliveries.oldest(connection, lane, 9)
        deliveries.record(connection, lane, [result(held, RETRY, due_at=NOW + 10**12)])
        deliveries.set_callback_url(connection, 1, URL, NOW + 1)
        assert due_of(connection, subscription) == {3: NOW + 10**12}
        deliveries.set_callback_url(connection, 1, "http://new.test/", NOW + 2)
        [lane] = claim(connection, NOW + 2)
        assert lane.url == "http://new.test/"


def test_a_failure_of_the_old_url_does_not_deactivate_the_new_one(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        [lane] = claim(connection)
        [held] = deliveries.oldest(connection, lane, 9)
        deliveries.set_callback_url(connection, 1, "http://new.test/", NOW)
        deliveries.record(connection, lane, [result(held, QUEUED, deactivate="the receiver answered 410 Gone")])
        assert [lane.url for lane in claim(connection)] == ["http://new.test/"]


def test_a_first_callback_url_makes_a_subscription(database):
    with database.write() as connection:
        deliveries.set_callback_url(connection, 2, None, NOW)
        assert deliveries.subscriptions_of(connection, 2) == []
        deliveries.set_callback_url(connection, 2, URL, NOW)
        assert len(deliveries.subscriptions_of(connection, 2)) == 1


def test_deliveries_are_listed_newest_first_by_instance_and_status(database, subscription):
    with database.write() as connection:
        other = deliveries.create_subscription(connection, 2, "http://other.test/", NOW)
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
