"""What the tests of deliveries share: announcing, claiming, and looking at what became of it."""

from __future__ import annotations

from sqlalchemy import insert, select

from connectory.store import deliveries, lanes
from connectory.store.deliveries import Result
from connectory.store.lanes import DELIVERED
from connectory.store.tables import attempts, notifications
from connectory.store.tables import deliveries as delivery_rows
from connectory.store.tables import lanes as lane_rows
from connectory.store.tables import subscriptions as subscription_rows

NOW = 1_000_000_000
LEASE = 120_000_000
URL = "http://receiver.test/hook"


def announce(connection, subscription_id, made, now=NOW, instance_id=1):
    """Notifications of these ids in these lanes, and their deliveries."""
    connection.execute(
        insert(notifications),
        [
            {"id": number, "instance_id": instance_id, "resource": "things", "body": b"%d" % number, "created_at": now}
            for number, _ in made
        ],
    )
    deliveries.add(connection, subscription_id, made, now)


def claim(connection, now=NOW, limit=8, owner="me", **options):
    claimed = lanes.claim(connection, owner=owner, now=now, until=now + LEASE, limit=limit, **options)
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
    query = select(lane_rows.c.lane, lane_rows.c.due_at).where(lane_rows.c.subscription_id == subscription_id)
    return {row.lane: row.due_at for row in connection.execute(query) if row.due_at is not None}


def statuses(connection):
    return [row.status for row in connection.execute(select(delivery_rows.c.status).order_by(delivery_rows.c.id))]


def snapshot(connection):
    return [
        connection.execute(select(table)).all() for table in (lane_rows, delivery_rows, attempts, subscription_rows)
    ]
