"""Queries of `subscriptions`, `lanes`, `deliveries` and `attempts`: what is still to be delivered, in which order.

A lane is claimed by a lease with an epoch and sends its oldest undelivered notification first. `lanes.due_at` is when
it may, and NULL while it has nothing to send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, tuple_, update

from ..errors import StaleLeaseError
from .database import is_sqlite
from .tables import attempts, deliveries, instances, lanes, notifications, subscriptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection, Row

LANES = 8

ACTIVE = "active"
DEACTIVATED = "deactivated"

CREATED = "created"
RETRY = "retry"
QUEUED = "queued"
DELIVERED = "delivered"
_UNDELIVERED = (CREATED, RETRY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A claimed lane; `owner` and `epoch` prove the claim."""

    subscription_id: int
    lane: int
    owner: str
    epoch: int
    url: str
    instance_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One notification to one subscription; `attempts` were made, moments are microseconds."""

    id: int
    notification_id: int
    attempts: int
    due_at: int
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one attempt led to: the delivery's new status, and when it is due again (None: not)."""

    delivery: Delivery
    started_at: int
    duration: int
    status: int | None
    error: str | None
    response: bytes | None
    becomes: str
    due_at: int | None
    deactivate: str | None = None


# Subscriptions


def create_subscription(connection: Connection, instance_id: int, url: str, now: int) -> int:
    values = {"instance_id": instance_id, "url": url, "state": ACTIVE, "created_at": now}
    statement = insert(subscriptions).values(values).returning(subscriptions.c.id)
    subscription_id = int(connection.execute(statement).scalar_one())
    connection.execute(insert(lanes), [{"subscription_id": subscription_id, "lane": lane} for lane in range(LANES)])
    return subscription_id


def subscriptions_of(connection: Connection, instance_id: int) -> list[int]:
    query = select(subscriptions.c.id).where(subscriptions.c.instance_id == instance_id).order_by(subscriptions.c.id)
    return [row.id for row in connection.execute(query)]


def set_callback_url(connection: Connection, instance_id: int, url: str | None, now: int) -> None:
    """Send an instance's notifications elsewhere; what waits goes to the new place, in its order."""
    if url is None:
        return
    if not subscriptions_of(connection, instance_id):
        create_subscription(connection, instance_id, url, now)
        return
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.instance_id == instance_id, subscriptions.c.url != url)
        .values(url=url, state=ACTIVE, state_reason=None)
    )


# Making deliveries


def add_deliveries(connection: Connection, subscription_id: int, made: Sequence[tuple[int, int]], now: int) -> None:
    """Queue notifications, given with their lanes, inside the transaction that made them."""
    state = connection.execute(_STATE, {"of_subscription": subscription_id}).scalar()
    status = CREATED if state == ACTIVE else QUEUED
    connection.execute(
        insert(deliveries),
        [
            {
                "notification_id": notification_id,
                "subscription_id": subscription_id,
                "lane": lane,
                "status": status,
                "due_at": now,
                "created_at": now,
            }
            for notification_id, lane in made
        ],
    )
    if status == CREATED:
        touched = {lane for _, lane in made}
        connection.execute(
            _MAKE_DUE, [{"of_subscription": subscription_id, "of_lane": lane, "now": now} for lane in touched]
        )


_STATE = select(subscriptions.c.state).where(subscriptions.c.id == bindparam("of_subscription"))
_MAKE_DUE = (
    update(lanes)
    .where(
        lanes.c.subscription_id == bindparam("of_subscription"),
        lanes.c.lane == bindparam("of_lane"),
        lanes.c.due_at.is_(None),
    )
    .values(due_at=bindparam("now"))
)


# Claims


def claim_lanes(
    connection: Connection,
    *,
    owner: str,
    now: int,
    until: int,
    limit: int,
    instance_ids: Collection[int] | None = None,
) -> list[Lane]:
    due = (
        select(lanes.c.subscription_id, lanes.c.lane)
        .where(lanes.c.due_at <= now, or_(lanes.c.lease_until.is_(None), lanes.c.lease_until < now))
        .order_by(lanes.c.due_at)
        .limit(limit)
    )
    if instance_ids is not None:
        due = due.join(subscriptions, subscriptions.c.id == lanes.c.subscription_id).where(
            subscriptions.c.instance_id.in_(list(instance_ids))
        )
    if not is_sqlite(connection):
        due = due.with_for_update(skip_locked=True, of=lanes)
    claimed = connection.execute(
        update(lanes)
        .where(tuple_(lanes.c.subscription_id, lanes.c.lane).in_(due))
        .values(lease_owner=owner, lease_until=until, epoch=lanes.c.epoch + 1)
        .returning(lanes.c.subscription_id, lanes.c.lane, lanes.c.epoch)
    ).all()
    places = _places(connection, {row.subscription_id for row in claimed})
    return [
        Lane(
            subscription_id=row.subscription_id,
            lane=row.lane,
            owner=owner,
            epoch=row.epoch,
            url=places[row.subscription_id].url,
            instance_id=places[row.subscription_id].instance_id,
        )
        for row in claimed
    ]


def _places(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    if not ids:
        return {}
    query = select(subscriptions).where(subscriptions.c.id.in_(list(ids)))
    return {row.id: row for row in connection.execute(query)}


def next_due(connection: Connection, instance_ids: Collection[int] | None = None) -> int | None:
    """When a lane may next be claimed; None where nothing waits."""
    later = func.max if is_sqlite(connection) else func.greatest
    query = select(func.min(later(lanes.c.due_at, func.coalesce(lanes.c.lease_until, 0)))).where(
        lanes.c.due_at.is_not(None)
    )
    if instance_ids is not None:
        query = query.join(subscriptions, subscriptions.c.id == lanes.c.subscription_id).where(
            subscriptions.c.instance_id.in_(list(instance_ids))
        )
    due: int | None = connection.execute(query).scalar()
    return due


def renew_leases(connection: Connection, owner: str, until: int) -> None:
    connection.execute(update(lanes).where(lanes.c.lease_owner == owner).values(lease_until=until))


def free_leases(connection: Connection, owners: Collection[str]) -> None:
    connection.execute(
        update(lanes).where(lanes.c.lease_owner.in_(list(owners))).values(lease_owner=None, lease_until=None)
    )


# Sending


def oldest(connection: Connection, lane: Lane, limit: int) -> list[Delivery]:
    """The lane's undelivered notifications, oldest first."""
    query = (
        select(
            deliveries.c.id,
            deliveries.c.notification_id,
            deliveries.c.attempts,
            deliveries.c.due_at,
            notifications.c.body,
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .where(
            deliveries.c.subscription_id == lane.subscription_id,
            deliveries.c.lane == lane.lane,
            deliveries.c.status.in_(_UNDELIVERED),
        )
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return [Delivery(**row._mapping) for row in connection.execute(query)]


def record(connection: Connection, lane: Lane, results: Sequence[Result]) -> None:
    """Write down the attempts and what they led to, and give the claim up; all in the caller's transaction."""
    held = update(lanes).where(
        lanes.c.subscription_id == lane.subscription_id,
        lanes.c.lane == lane.lane,
        lanes.c.lease_owner == lane.owner,
        lanes.c.epoch == lane.epoch,
    )
    if connection.execute(held.values(lease_owner=None, lease_until=None)).rowcount != 1:
        raise StaleLeaseError(f"another worker has taken over lane {lane.lane} of subscription {lane.subscription_id}")
    if results:
        connection.execute(insert(attempts), [_attempt(result) for result in results])
        connection.execute(_ADVANCE, [_advance(result) for result in results])
    reason = next((result.deactivate for result in results if result.deactivate), None)
    if reason is not None:
        deactivate(connection, lane.subscription_id, reason)
    connection.execute(held_due(lane))


def held_due(lane: Lane) -> Any:
    """Sets when the lane is next due: when its oldest undelivered notification is."""
    first = (
        select(deliveries.c.due_at)
        .where(
            deliveries.c.subscription_id == lane.subscription_id,
            deliveries.c.lane == lane.lane,
            deliveries.c.status.in_(_UNDELIVERED),
        )
        .order_by(deliveries.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        update(lanes)
        .where(lanes.c.subscription_id == lane.subscription_id, lanes.c.lane == lane.lane)
        .values(due_at=first)
    )


def _attempt(result: Result) -> dict[str, Any]:
    return {
        "delivery_id": result.delivery.id,
        "number": result.delivery.attempts + 1,
        "started_at": result.started_at,
        "duration": result.duration,
        "status": result.status,
        "error": result.error,
        "response": result.response,
    }


def _advance(result: Result) -> dict[str, Any]:
    delivered = result.becomes == DELIVERED
    return {
        "of_delivery": result.delivery.id,
        "status": result.becomes,
        "attempts": result.delivery.attempts + 1,
        "due_at": result.due_at,
        "delivered_at": result.started_at + result.duration * 1000 if delivered else None,
        "first": result.started_at,
    }


_ADVANCE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_delivery"))
    .values(
        status=bindparam("status"),
        attempts=bindparam("attempts"),
        due_at=bindparam("due_at"),
        delivered_at=bindparam("delivered_at"),
        first_attempt_at=func.coalesce(deliveries.c.first_attempt_at, bindparam("first")),
    )
)


def deactivate(connection: Connection, subscription_id: int, reason: str) -> None:
    """Send nothing more to a subscription; what waits, and what comes later, is queued."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(state=DEACTIVATED, state_reason=reason)
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.status.in_(_UNDELIVERED))
        .values(status=QUEUED)
    )
    connection.execute(update(lanes).where(lanes.c.subscription_id == subscription_id).values(due_at=None))


# Looking


def pending_count(connection: Connection, instance_ids: Collection[int] | None = None) -> int:
    """How many deliveries have not arrived, queued ones included."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.status != DELIVERED)
    if instance_ids is not None:
        query = query.join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id).where(
            subscriptions.c.instance_id.in_(list(instance_ids))
        )
    return int(connection.execute(query).scalar_one())


def find(
    connection: Connection, *, instance_id: int | None = None, status: str | None = None, limit: int = 100
) -> list[Mapping[str, Any]]:
    """Deliveries, newest first, each with its instance, resource and URL."""
    query = (
        select(
            deliveries,
            notifications.c.instance_id,
            notifications.c.resource,
            subscriptions.c.url,
            instances.c.name.label("instance_name"),
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(instances, instances.c.id == notifications.c.instance_id)
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    if instance_id is not None:
        query = query.where(notifications.c.instance_id == instance_id)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    return [dict(row._mapping) for row in connection.execute(query)]


def attempts_of(connection: Connection, delivery_id: int) -> list[Mapping[str, Any]]:
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    return [dict(row._mapping) for row in connection.execute(query)]


def get(connection: Connection, delivery_id: int) -> Mapping[str, Any] | None:
    """One delivery as `find` gives it, with its notification's body."""
    query = (
        select(
            deliveries, notifications.c.instance_id, notifications.c.resource, notifications.c.body, subscriptions.c.url
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .where(deliveries.c.id == delivery_id)
    )
    row = connection.execute(query).first()
    return None if row is None else dict(row._mapping)


def subscription_states(connection: Connection, instance_id: int) -> list[Mapping[str, Any]]:
    query = select(subscriptions).where(subscriptions.c.instance_id == instance_id)
    return [dict(row._mapping) for row in connection.execute(query)]
