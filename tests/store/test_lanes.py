"""Which lanes are due, and who has claimed them."""

from __future__ import annotations

from mailroom import LEASE, NOW, URL, announce, claim, due_of, result
from sqlalchemy import select

from connectory.store import deliveries, lanes, subscriptions
from connectory.store.lanes import DELIVERED
from connectory.store.tables import lanes as lane_rows


def test_a_subscription_has_eight_lanes_with_nothing_to_send(database, subscription):
    with database.read() as connection:
        assert len(connection.execute(select(lane_rows)).all()) == lanes.LANES == 8
        assert due_of(connection, subscription) == {}
        assert lanes.next_due(connection) is None


def test_deliveries_make_their_lanes_due_and_no_later(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3), (3, 5)])
        announce(connection, subscription, [(4, 3), (5, 6)], now=NOW + 7)
        assert due_of(connection, subscription) == {3: NOW, 5: NOW, 6: NOW + 7}
        assert lanes.next_due(connection) == NOW
        assert deliveries.pending_count(connection) == 5


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
        assert lanes.next_due(connection) == NOW + LEASE
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
        other = subscriptions.create(connection, 2, URL, NOW)
        announce(connection, subscription, [(1, 0)])
        announce(connection, other, [(2, 0)], instance_id=2)
        assert claim(connection, but=[subscription, other]) == []
        assert claim(connection, instance_ids=[7]) == []
        assert lanes.next_due(connection, [7]) is None
        assert [lane.subscription_id for lane in claim(connection, subscription_ids=[other])] == [other]
        assert [lane.subscription_id for lane in claim(connection, instance_ids=[1])] == [subscription]


def test_freed_leases_can_be_claimed_at_once(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        claim(connection, owner="dead")
        lanes.free_leases(connection, ["another"])
        assert claim(connection) == []
        lanes.free_leases(connection, ["dead"])
        assert len(claim(connection)) == 1


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
