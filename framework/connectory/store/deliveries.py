"""Queries of `deliveries` and `attempts`: each notification to each subscription, and how each attempt went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from ..errors import StaleLeaseError
from . import lanes, subscriptions
from .dialect import insert_rows, run_many
from .lanes import CREATED, DELIVERED, QUEUED, RETRY
from .tables import attempts, deliveries, instances, notifications
from .tables import subscriptions as subscription_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from .lanes import Lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One notification to one subscription. `attempts` is how many were made; moments are microseconds."""

    id: int
    notification_id: int
    attempts: int
    due_at: int
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one attempt led to: the delivery's new status, and when it is due again (None: it is not).

    `duration` is in milliseconds. `deactivate` is the reason to send the subscription nothing more, or None.
    """

    delivery: Delivery
    started_at: int
    duration: int
    status: int | None
    error: str | None
    response: bytes | None
    becomes: str
    due_at: int | None
    deactivate: str | None = None


# Making deliveries


def add(connection: Connection, subscription_id: int, made: Sequence[tuple[int, int]], now: int) -> None:
    """Add a delivery of each notification in `made` (its id and lane), in the transaction that made it."""
    place = subscriptions.hold(connection, subscription_id)
    status = CREATED if place is not None and place.state == subscriptions.ACTIVE else QUEUED
    rows = [(notification_id, subscription_id, lane, status, 0, now, now) for notification_id, lane in made]
    insert_rows(connection, "deliveries", _DELIVERY, rows)
    if status == CREATED:
        lanes.make_due(connection, subscription_id, (lane for _, lane in made), now)


_DELIVERY = ("notification_id", "subscription_id", "lane", "status", "attempts", "due_at", "created_at")


# Sending


def oldest(connection: Connection, lane: Lane, limit: int) -> list[Delivery]:
    """The notifications that wait in a lane, oldest first."""
    rows = connection.execute(
        _OLDEST, {"of_subscription": lane.subscription_id, "of_lane": lane.lane, "most": limit}
    ).all()
    return [
        Delivery(
            id=row.id,
            notification_id=row.notification_id,
            attempts=row.attempts,
            due_at=row.due_at,
            body=bytes(row.body),
        )
        for row in rows
    ]


# The index gives the deliveries of each status in order. Asked for both statuses at once, the database would sort the
# whole backlog, bodies included, for each batch.
_OLDEST = text(
    "SELECT d.id, d.notification_id, d.attempts, d.due_at, n.body"
    " FROM deliveries d JOIN notifications n ON n.id = d.notification_id"
    " WHERE d.id IN ("
    "SELECT id FROM (SELECT id FROM deliveries WHERE subscription_id = :of_subscription AND lane = :of_lane"
    " AND status = 'retry' ORDER BY id LIMIT :most) AS again"
    " UNION ALL "
    "SELECT id FROM (SELECT id FROM deliveries WHERE subscription_id = :of_subscription AND lane = :of_lane"
    " AND status = 'created' ORDER BY id LIMIT :most) AS fresh"
    ") ORDER BY d.id LIMIT :most"
)


def record(connection: Connection, lane: Lane, results: Sequence[Result], *, not_before: int = 0) -> None:
    """Write down the attempts and what they led to, and give the claim up; the lane rests until `not_before`.

    Everything is written in the caller's transaction. If another worker has the lane now, nothing is written, and
    `StaleLeaseError` is raised.
    """
    reason = next((result.deactivate for result in results if result.deactivate), None)
    place = _hold(connection, lane, to_deactivate=reason is not None)
    results = [_as_things_are(result, lane, place) for result in results]
    if results:
        insert_rows(connection, "attempts", _ATTEMPT, [_attempt(result) for result in results])
        run_many(connection, _ADVANCE, [_advance(result) for result in results])
    reason = next((result.deactivate for result in results if result.deactivate), None)
    if reason is not None:
        subscriptions.deactivate(connection, lane.subscription_id, reason)
    lanes.set_due(connection, lane.subscription_id, [lane.lane], not_before=not_before)


def _hold(connection: Connection, lane: Lane, *, to_deactivate: bool) -> Row[Any]:
    """End the claim of a lane, and hold its subscription until the transaction ends."""
    place: Row[Any] | None = (subscriptions.lock if to_deactivate else subscriptions.hold)(
        connection, lane.subscription_id
    )
    if to_deactivate:
        lanes.lock(connection, lane.subscription_id)
    if place is None or not lanes.give_up(connection, lane):
        raise StaleLeaseError(
            f"another worker has taken over lane {lane.lane} of subscription {lane.subscription_id}",
            hint="nothing was written",
        )
    return place


def _as_things_are(result: Result, lane: Lane, place: Row[Any]) -> Result:
    """The result, with another consequence if the subscription has changed since the lane was claimed."""
    if result.becomes == DELIVERED:
        return result
    if place.state != subscriptions.ACTIVE:
        return replace(result, becomes=QUEUED, due_at=None, deactivate=None)
    if place.url != lane.url:
        # The failures of the old URL say nothing about the new one.
        return replace(result, becomes=RETRY, due_at=result.started_at, deactivate=None)
    return result


_ATTEMPT = ("delivery_id", "number", "started_at", "duration", "status", "error", "response")


def _attempt(result: Result) -> tuple[Any, ...]:
    return (
        result.delivery.id,
        result.delivery.attempts + 1,
        result.started_at,
        result.duration,
        result.status,
        result.error,
        result.response,
    )


def _advance(result: Result) -> tuple[Any, ...]:
    delivered_at = result.started_at + result.duration * 1000 if result.becomes == DELIVERED else None
    attempts_made = result.delivery.attempts + 1
    return (result.becomes, attempts_made, result.due_at, delivered_at, result.started_at, result.delivery.id)


_ADVANCE = (
    "UPDATE deliveries SET status = ?, attempts = ?, due_at = ?, delivered_at = ?,"
    " first_attempt_at = COALESCE(first_attempt_at, ?) WHERE id = ?"
)


# Looking


def pending_count(connection: Connection, instance_ids: Collection[int] | None = None) -> int:
    """How many deliveries have not arrived, including queued ones."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.status != DELIVERED)
    if instance_ids is not None:
        query = query.where(deliveries.c.subscription_id.in_(lanes.of_instances(instance_ids)))
    return int(connection.execute(query).scalar_one())


def find(
    connection: Connection, *, instance_id: int | None = None, status: str | None = None, limit: int = 100
) -> list[Mapping[str, Any]]:
    """Deliveries, newest first, each with its instance, resource and URL."""
    query = _listing().order_by(deliveries.c.id.desc()).limit(limit)
    if instance_id is not None:
        query = query.where(notifications.c.instance_id == instance_id)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    return [dict(row._mapping) for row in connection.execute(query)]


def get(connection: Connection, delivery_id: int) -> Mapping[str, Any] | None:
    """One delivery as `find` gives it, with its notification's body."""
    query = _listing().add_columns(notifications.c.body).where(deliveries.c.id == delivery_id)
    row = connection.execute(query).first()
    return None if row is None else dict(row._mapping)


def _listing() -> Any:
    return (
        select(
            deliveries,
            notifications.c.instance_id,
            notifications.c.resource,
            subscription_rows.c.url,
            instances.c.name.label("instance_name"),
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .join(subscription_rows, subscription_rows.c.id == deliveries.c.subscription_id)
        .join(instances, instances.c.id == notifications.c.instance_id)
    )


def attempts_of(connection: Connection, delivery_id: int) -> list[Mapping[str, Any]]:
    """The attempts in the order in which they were made; `number` starts again when a subscription is reactivated."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]
