"""Queries of `lanes`: which deliveries of a subscription go out one after another, and who is sending them.

A lane is claimed by a lease with an epoch and sends its oldest waiting notification first. `lanes.due_at` is the moment
from which it may be claimed; it is NULL when the lane has nothing to send.

Whoever writes locks the subscription first, then its lanes, then deliveries. In another order, a page that adds
deliveries and a worker that finds the receiver gone would wait for each other on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, text, tuple_, update

from .dialect import later
from .tables import lanes, subscriptions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Row, Select

LANES = 8
"""Lanes per subscription, and so how many of its notifications can be sent at the same time.

Subscriptions get the rows of their lanes when they are created, so another number needs a migration that adds rows.
"""

# The words of Cloud Elements for the status of a delivery. A lane sends those with the status `created` or `retry`.
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


def add_lanes(connection: Connection, subscription_id: int) -> None:
    connection.execute(insert(lanes), [{"subscription_id": subscription_id, "lane": lane} for lane in range(LANES)])


# Claims


def claim(
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

    `instance_ids` and `subscription_ids` narrow the choice; `but` names subscriptions to leave alone.
    """
    due = _due(now, instance_ids=instance_ids, subscription_ids=subscription_ids, but=but)
    # A CTE, so that it runs once: inside the UPDATE, PostgreSQL may run it again and lock more than `limit`.
    chosen = due.limit(limit).cte("due")
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


def _due(
    now: int,
    *,
    instance_ids: Collection[int] | None,
    subscription_ids: Collection[int] | None,
    but: Collection[int],
) -> Select[Any]:
    due = (
        select(lanes.c.subscription_id, lanes.c.lane)
        .where(lanes.c.due_at <= now, or_(lanes.c.lease_until.is_(None), lanes.c.lease_until <= now))
        .order_by(lanes.c.due_at)
        .with_for_update(skip_locked=True, of=lanes)
    )
    if instance_ids is not None:
        due = due.where(lanes.c.subscription_id.in_(of_instances(instance_ids)))
    if subscription_ids is not None:
        due = due.where(lanes.c.subscription_id.in_(list(subscription_ids)))
    if but:
        due = due.where(lanes.c.subscription_id.not_in(list(but)))
    return due


def _places(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    if not ids:
        return {}
    query = select(subscriptions).where(subscriptions.c.id.in_(list(ids)))
    return {row.id: row for row in connection.execute(query)}


def give_up(connection: Connection, lane: Lane) -> bool:
    """End a claim; False when another worker has claimed the lane since."""
    values = {"of_subscription": lane.subscription_id, "of_lane": lane.lane, "of_epoch": lane.epoch}
    return connection.execute(_GIVE_UP, values).rowcount == 1


def renew_leases(connection: Connection, owner: str, until: int) -> None:
    connection.execute(update(lanes).where(lanes.c.lease_owner == owner).values(lease_until=until))


def free_leases(connection: Connection, owners: Collection[str]) -> None:
    """Give up the leases of dead or stopping processes, so that nobody waits until they run out."""
    connection.execute(
        update(lanes).where(lanes.c.lease_owner.in_(list(owners))).values(lease_owner=None, lease_until=None)
    )


# Which lanes are due


def of_instances(instance_ids: Collection[int]) -> Select[Any]:
    """The ids of the subscriptions of some instances."""
    return select(subscriptions.c.id).where(subscriptions.c.instance_id.in_(list(instance_ids)))


def next_due(connection: Connection, instance_ids: Collection[int] | None = None) -> int | None:
    """When a lane may next be claimed; None when nothing waits."""
    query = select(func.min(later(connection, lanes.c.due_at, func.coalesce(lanes.c.lease_until, 0)))).where(
        lanes.c.due_at.is_not(None)
    )
    if instance_ids is not None:
        query = query.where(lanes.c.subscription_id.in_(of_instances(instance_ids)))
    due: int | None = connection.execute(query).scalar()
    return due


def lock(connection: Connection, subscription_id: int) -> None:
    """Lock all lanes of a subscription until the transaction ends."""
    connection.execute(_LOCK, {"of_subscription": subscription_id})


def make_due(connection: Connection, subscription_id: int, numbers: Iterable[int], now: int) -> None:
    """Make lanes that have something new to send due at `now`, unless they have a due time already."""
    touched = sorted(set(numbers))
    connection.execute(
        _MAKE_DUE, [{"of_subscription": subscription_id, "of_lane": number, "now": now} for number in touched]
    )


def set_due(connection: Connection, subscription_id: int, numbers: Iterable[int], *, not_before: int = 0) -> None:
    """Make lanes due when their oldest waiting notification is, but not before `not_before`."""
    connection.execute(
        _SET_DUE,
        [{"of_subscription": subscription_id, "of_lane": number, "not_before": not_before} for number in numbers],
    )


def rest(connection: Connection, subscription_id: int) -> None:
    """Prevent any lane of a subscription from being claimed."""
    connection.execute(update(lanes).where(lanes.c.subscription_id == subscription_id).values(due_at=None))


_THIS_LANE = (lanes.c.subscription_id == bindparam("of_subscription")) & (lanes.c.lane == bindparam("of_lane"))

# `FOR UPDATE` is for PostgreSQL. SQLite has only one writer at a time and leaves it out.
_LOCK = (
    select(lanes.c.lane)
    .where(lanes.c.subscription_id == bindparam("of_subscription"))
    .order_by(lanes.c.lane)
    .with_for_update()
)
_GIVE_UP = (
    update(lanes)
    .where(_THIS_LANE, lanes.c.epoch == bindparam("of_epoch"))
    .values({"lease_owner": None, "lease_until": None})
)
# Lanes that are due already are written, too. A worker that finishes such a lane at this moment cannot see the new
# deliveries yet and would otherwise mark the lane as one that has nothing to send.
_MAKE_DUE = update(lanes).where(_THIS_LANE).values(due_at=func.coalesce(lanes.c.due_at, bindparam("now")))
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
