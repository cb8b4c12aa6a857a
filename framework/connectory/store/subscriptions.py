"""Queries of `subscriptions`: where an instance's notifications go, and whether they are sent at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from . import lanes
from .lanes import CREATED, LANES, QUEUED, RETRY
from .tables import deliveries, subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

ACTIVE = "active"
DEACTIVATED = "deactivated"


def create(connection: Connection, instance_id: int, url: str, now: int) -> int:
    values = {"instance_id": instance_id, "url": url, "state": ACTIVE, "created_at": now}
    statement = insert(subscriptions).values(values).returning(subscriptions.c.id)
    subscription_id = int(connection.execute(statement).scalar_one())
    lanes.add_lanes(connection, subscription_id)
    return subscription_id


def ids_of(connection: Connection, instance_id: int) -> list[int]:
    query = select(subscriptions.c.id).where(subscriptions.c.instance_id == instance_id).order_by(subscriptions.c.id)
    return [row.id for row in connection.execute(query)]


def find(connection: Connection, instance_id: int) -> list[Mapping[str, Any]]:
    query = select(subscriptions).where(subscriptions.c.instance_id == instance_id).order_by(subscriptions.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def set_callback_url(connection: Connection, instance_id: int, url: str | None, now: int) -> None:
    """Send an instance's notifications to another URL; waiting ones go there, too, in order."""
    if url is None:
        return
    held = find(connection, instance_id)
    if not held:
        create(connection, instance_id, url, now)
    for subscription in held:
        if subscription["url"] != url:
            reactivate(connection, subscription["id"], now, url=url)


def reactivate(connection: Connection, subscription_id: int, now: int, *, url: str | None = None) -> None:
    """Send a subscription everything that waits or was queued for it: at once, in order, each with all its retries."""
    values = {"state": ACTIVE, "state_reason": None} | ({} if url is None else {"url": url})
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(values))
    lanes.lock(connection, subscription_id)
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.status.in_((CREATED, RETRY, QUEUED)))
        .values(status=CREATED, attempts=0, due_at=now)
    )
    lanes.set_due(connection, subscription_id, range(LANES))


def deactivate(connection: Connection, subscription_id: int, reason: str) -> None:
    """Send nothing more to a subscription: what waits, and what comes later, is queued."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(state=DEACTIVATED, state_reason=reason)
    )
    lanes.lock(connection, subscription_id)
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.status.in_((CREATED, RETRY)))
        .values(status=QUEUED)
    )
    lanes.rest(connection, subscription_id)


def hold(connection: Connection, subscription_id: int) -> Any:
    """The row with the URL and the state, or None. Nobody else changes it until the transaction ends."""
    return connection.execute(_HOLD, {"of_subscription": subscription_id}).first()


def lock(connection: Connection, subscription_id: int) -> Any:
    """The same as `hold`, for a transaction that will change the state."""
    return connection.execute(_LOCK, {"of_subscription": subscription_id}).first()


# `FOR SHARE` and `FOR UPDATE` are for PostgreSQL. SQLite has only one writer at a time and leaves them out.
_PLACE = select(subscriptions.c.url, subscriptions.c.state).where(subscriptions.c.id == bindparam("of_subscription"))
_HOLD = _PLACE.with_for_update(read=True)
_LOCK = _PLACE.with_for_update(key_share=True)
