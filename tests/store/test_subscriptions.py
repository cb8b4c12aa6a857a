"""Where notifications go: new URLs, deactivation, reactivation."""

from __future__ import annotations

from dataclasses import replace

from mailroom import LEASE, NOW, URL, announce, claim, due_of, result, statuses

from connectory.store import deliveries, subscriptions
from connectory.store.lanes import CREATED, QUEUED, RETRY


def test_what_a_deactivated_subscription_would_get_is_queued(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        subscriptions.deactivate(connection, subscription, "gone")
        announce(connection, subscription, [(2, 3), (3, 4)])
        assert statuses(connection) == [QUEUED, QUEUED, QUEUED]
        assert due_of(connection, subscription) == {}
        assert claim(connection, NOW + 10**12) == []
        assert deliveries.pending_count(connection) == 3
        [state] = subscriptions.find(connection, 1)
        assert (state["state"], state["state_reason"]) == ("deactivated", "gone")


def test_giving_up_deactivates_the_subscription_and_queues_all_its_lanes(database, subscription):
    with database.write() as connection:
        other = subscriptions.create(connection, 2, URL, NOW)
        announce(connection, subscription, [(1, 3), (2, 3), (3, 4)])
        announce(connection, other, [(4, 3)], instance_id=2)
        [lane] = claim(connection, limit=1, subscription_ids=[subscription])
        [held, *_] = deliveries.oldest(connection, lane, 9)
        deliveries.record(connection, lane, [result(held, QUEUED, deactivate="ten attempts failed")])
        assert statuses(connection) == [QUEUED, QUEUED, QUEUED, CREATED]
        assert due_of(connection, subscription) == {}
        assert due_of(connection, other) == {3: NOW}


def test_reactivating_sends_all_that_waited_in_its_order_with_all_its_retries(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3), (2, 3), (3, 4)])
        lane = claim(connection)[0]
        [held, *_] = deliveries.oldest(connection, lane, 9)
        deliveries.record(connection, lane, [result(replace(held, attempts=9), QUEUED, deactivate="gone")])
        announce(connection, subscription, [(4, 3)])
        subscriptions.reactivate(connection, subscription, NOW + 50)
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
        subscriptions.set_callback_url(connection, 1, URL, NOW + 1)
        assert due_of(connection, subscription) == {3: NOW + 10**12}
        subscriptions.set_callback_url(connection, 1, "http://new.test/", NOW + 2)
        [lane] = claim(connection, NOW + 2)
        assert lane.url == "http://new.test/"


def test_a_failure_of_the_old_url_does_not_deactivate_the_new_one(database, subscription):
    with database.write() as connection:
        announce(connection, subscription, [(1, 3)])
        [lane] = claim(connection)
        [held] = deliveries.oldest(connection, lane, 9)
        subscriptions.set_callback_url(connection, 1, "http://new.test/", NOW)
        deliveries.record(connection, lane, [result(held, QUEUED, deactivate="the receiver answered 410 Gone")])
        assert [lane.url for lane in claim(connection)] == ["http://new.test/"]


def test_a_first_callback_url_makes_a_subscription(database):
    with database.write() as connection:
        subscriptions.set_callback_url(connection, 2, None, NOW)
        assert subscriptions.ids_of(connection, 2) == []
        subscriptions.set_callback_url(connection, 2, URL, NOW)
        assert len(subscriptions.ids_of(connection, 2)) == 1
