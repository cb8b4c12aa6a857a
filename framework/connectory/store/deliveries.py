"""Queries of `subscriptions`, `lanes`, `deliveries` and `attempts`: what is still to be delivered, in which order.

A lane is claimed by a lease with an epoch and sends its oldest undelivered notification first. `lanes.due_at` is when
it may, and NULL while it has nothing to send.

Who writes takes its locks in one order, subscription before lanes before deliveries: on PostgreSQL, a page that adds
deliveries and a worker that finds the receiver gone would else wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, text, tuple_, update

from ..errors import StaleLeaseError
from .database import insert_rows, is_sqlite
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A claimed lane; `epoch` proves the claim."""

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
    """What one attempt led to: the delivery's new status, and when it is due again (None: not).

    `duration` is in milliseconds; `deactivate` is why the subscription gets nothing more, where that follows.
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


def subscription_states(connection: Connection, instance_id: int) -> list[Mapping[str, Any]]:
    query = select(subscriptions).where(subscriptions.c.instance_id == instance_id).order_by(subscriptions.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def set_callback_url(connection: Connection, instance_id: int, url: str | None, now: int) -> None:
    """Send an instance's notifications elsewhere; what waits goes to the new place, in its order."""
    if url is None:
        return
    held = subscription_states(connection, instance_id)
    if not held:
        create_subscription(connection, instance_id, url, now)
    for subscription in held:
        if subscription["url"] != url:
            reactivate(connection, subscription["id"], now, url=url)


def reactivate(connection: Connection, subscription_id: int, now: int, *, url: str | None = None) -> None:
    """Send a subscription all that waits or was queued for it, at once, in order, each with all its retries."""
    values = {"state": ACTIVE, "state_reason": None} | ({} if url is None else {"url": url})
    connection.execute(update(subscriptions).where(subscriptions.c.id == subscription_id).values(values))
    connection.execute(_LOCK_LANES, {"of_subscription": subscription_id})
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.status.in_((CREATED, RETRY, QUEUED)))
        .values(status=CREATED, attempts=0, due_at=now)
    )
    connection.execute(
        _SET_DUE, [{"of_subscription": subscription_id, "of_lane": lane, "not_before": 0} for lane in range(LANES)]
    )


def deactivate(connection: Connection, subscription_id: int, reason: str) -> None:
    """Send nothing more to a subscription; what waits, and what comes later, is queued."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(state=DEACTIVATED, state_reason=reason)
    )
    connection.execute(_LOCK_LANES, {"of_subscription": subscription_id})
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.status.in_((CREATED, RETRY)))
        .values(status=QUEUED)
    )
    connection.execute(update(lanes).where(lanes.c.subscription_id == subscription_id).values(due_at=None))


# `FOR SHARE` and `FOR UPDATE` mean something on PostgreSQL; on SQLite a writer is alone anyway.
_PLACE = select(subscriptions.c.url, subscriptions.c.state).where(subscriptions.c.id == bindparam("of_subscription"))
_HOLD_PLACE = _PLACE.with_for_update(read=True)
_LOCK_PLACE = _PLACE.with_for_update(key_share=True)
_LOCK_LANES = (
    select(lanes.c.lane)
    .where(lanes.c.subscription_id == bindparam("of_subscription"))
    .order_by(lanes.c.lane)
    .with_for_update()
)


# Making deliveries


def add_deliveries(connection: Connection, subscription_id: int, made: Sequence[tuple[int, int]], now: int) -> None:
    """Add a delivery of each notification, given with its lane, inside the transaction that made them."""
    place = connection.execute(_HOLD_PLACE, {"of_subscription": subscription_id}).first()
    status = CREATED if place is not None and place.state == ACTIVE else QUEUED
    rows = [(notification_id, subscription_id, lane, status, 0, now, now) for notification_id, lane in made]
    insert_rows(connection, "deliveries", _DELIVERY, rows)
    if status == CREATED:
        touched = sorted({lane for _, lane in made})
        connection.execute(
            _MAKE_DUE, [{"of_subscription": subscription_id, "of_lane": lane, "now": now} for lane in touched]
        )


_DELIVERY = ("notification_id", "subscription_id", "lane", "status", "attempts", "due_at", "created_at")

_THIS_LANE = (lanes.c.subscription_id == bindparam("of_subscription")) & (lanes.c.lane == bindparam("of_lane"))

# Writes a lane that is due already, too: else a worker that ends with it at this moment, and cannot see the new
# deliveries yet, would leave it as one that has nothing to send.
_MAKE_DUE = update(lanes).where(_THIS_LANE).values(due_at=func.coalesce(lanes.c.due_at, bindparam("now")))


# Claims


def claim_lanes(
    connection: Connection,
    *,
    owner: str,
    now: int,
    until: int,
    limit: int,
    instance_ids: Collection[int] | None = None,
    subscription_ids: Collection[int] | None = None,
    but: Collection[int] = (),
) -> list[Lane]:
    """Take the lease of lanes that are due, longest overdue first.

    `instance_ids` and `subscription_ids` narrow it to some; `but` are subscriptions to leave alone.
    """
    due = (
        select(lanes.c.subscription_id, lanes.c.lane)
        .where(lanes.c.due_at <= now, or_(lanes.c.lease_until.is_(None), lanes.c.lease_until <= now))
        .order_by(lanes.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=lanes)
    )
    if instance_ids is not None:
        due = due.where(lanes.c.subscription_id.in_(_of_instances(instance_ids)))
    if subscription_ids is not None:
        due = due.where(lanes.c.subscription_id.in_(list(subscription_ids)))
    if but:
        due = due.where(lanes.c.subscription_id.not_in(list(but)))
    # Apart, so that it runs once: inside the UPDATE, PostgreSQL may run it again and lock more than `limit`.
    chosen = due.cte("due")
    claimed = connection.execute(
        update(lanes)
        .where(tuple_(lanes.c.subscription_id, lanes.c.lane).in_(select(chosen.c.subscription_id, chosen.c.lane)))
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


def _of_instances(instance_ids: Collection[int]) -> Any:
    return select(subscriptions.c.id).where(subscriptions.c.instance_id.in_(list(instance_ids)))


def next_due(connection: Connection, instance_ids: Collection[int] | None = None) -> int | None:
    """When a lane may next be claimed; None where nothing waits."""
    later = func.max if is_sqlite(connection) else func.greatest
    query = select(func.min(later(lanes.c.due_at, func.coalesce(lanes.c.lease_until, 0)))).where(
        lanes.c.due_at.is_not(None)
    )
    if instance_ids is not None:
        query = query.where(lanes.c.subscription_id.in_(_of_instances(instance_ids)))
    due: int | None = connection.execute(query).scalar()
    return due


def renew_leases(connection: Connection, owner: str, until: int) -> None:
    connection.execute(update(lanes).where(lanes.c.lease_owner == owner).values(lease_until=until))


def free_leases(connection: Connection, owners: Collection[str]) -> None:
    """Give up what dead or stopping owners hold, so that nobody waits for their leases to run out."""
    connection.execute(
        update(lanes).where(lanes.c.lease_owner.in_(list(owners))).values(lease_owner=None, lease_until=None)
    )


# Sending


def oldest(connection: Connection, lane: Lane, limit: int) -> list[Delivery]:
    """The lane's undelivered notifications, oldest first."""
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


# Each status by itself is in the order of the index; asked for both, the database would sort the whole backlog, bodies
# and all, for each batch.
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

    All in the caller's transaction. `StaleLeaseError`: another worker has the lane now, and nothing was written.
    """
    lasting = any(result.deactivate for result in results)
    of = {"of_subscription": lane.subscription_id, "of_lane": lane.lane}
    place = connection.execute(_LOCK_PLACE if lasting else _HOLD_PLACE, of).first()
    if lasting:
        connection.execute(_LOCK_LANES, of)
    if place is None or connection.execute(_GIVE_UP, {**of, "of_epoch": lane.epoch}).rowcount != 1:
        raise StaleLeaseError(
            f"another worker has taken over lane {lane.lane} of subscription {lane.subscription_id}",
            hint="nothing was written",
        )
    results = [_as_things_are(result, lane, place) for result in results]
    if results:
        insert_rows(connection, "attempts", _ATTEMPT, [_attempt(result) for result in results])
        connection.exec_driver_sql(_ADVANCE[is_sqlite(connection)], [_advance(result) for result in results])
    reason = next((result.deactivate for result in results if result.deactivate), None)
    if reason is not None:
        deactivate(connection, lane.subscription_id, reason)
    connection.execute(_SET_DUE, {**of, "not_before": not_before})


def _as_things_are(result: Result, lane: Lane, place: Row[Any, Any]) -> Result:
    """A failure's consequence, where the subscription has changed since the lane was claimed."""
    if result.becomes == DELIVERED:
        return result
    if place.state != ACTIVE:
        return replace(result, becomes=QUEUED, due_at=None, deactivate=None)
    if place.url != lane.url:
        # The old place's failures say nothing about the new one.
        return replace(result, becomes=RETRY, due_at=result.started_at, deactivate=None)
    return result


_GIVE_UP = (
    update(lanes)
    .where(_THIS_LANE, lanes.c.epoch == bindparam("of_epoch"))
    .values({"lease_owner": None, "lease_until": None})
)

# A lane is due when its oldest undelivered notification is.
_SET_DUE = text(
    "UPDATE lanes SET due_at = (SELECT CASE WHEN d.due_at < :not_before THEN :not_before ELSE d.due_at END"
    " FROM deliveries d WHERE d.id = (SELECT MIN(id) FROM ("
    "SELECT MIN(id) AS id FROM deliveries WHERE subscription_id = :of_subscription AND lane = :of_lane"
    " AND status = 'retry'"
    " UNION ALL "
    "SELECT MIN(id) AS id FROM deliveries WHERE subscription_id = :of_subscription AND lane = :of_lane"
    " AND status = 'created'"
    ") AS first))"
    " WHERE subscription_id = :of_subscription AND lane = :of_lane"
)

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


# As the driver takes it: as an expression, its parameters cost more than the writing.
_ADVANCE = {
    True: (
        "UPDATE deliveries SET status = ?, attempts = ?, due_at = ?, delivered_at = ?,"
        " first_attempt_at = COALESCE(first_attempt_at, ?) WHERE id = ?"
    ),
    False: (
        "UPDATE deliveries SET status = %s, attempts = %s, due_at = %s, delivered_at = %s,"
        " first_attempt_at = COALESCE(first_attempt_at, %s) WHERE id = %s"
    ),
}


# Looking


def pending_count(connection: Connection, instance_ids: Collection[int] | None = None) -> int:
    """How many deliveries have not arrived, queued ones included."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.status != DELIVERED)
    if instance_ids is not None:
        query = query.where(deliveries.c.subscription_id.in_(_of_instances(instance_ids)))
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
            subscriptions.c.url,
            instances.c.name.label("instance_name"),
        )
        .join(notifications, notifications.c.id == deliveries.c.notification_id)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .join(instances, instances.c.id == notifications.c.instance_id)
    )


def attempts_of(connection: Connection, delivery_id: int) -> list[Mapping[str, Any]]:
    """In the order they were made; `number` starts again where a subscription was reactivated."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]
