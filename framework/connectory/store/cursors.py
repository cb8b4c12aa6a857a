"""Queries of `polls` for commands: take one poll out of turn, or move its cursor.

Both raise the epoch, and both fail while another process holds the lease. So a running poll is never disturbed, and one
whose lease has run out cannot overwrite the new cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

from .polls import PollRow
from .tables import polls, seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


def take(
    connection: Connection, instance_id: int, resource: str, *, owner: str, now: int, until: int
) -> PollRow | None:
    """Take the lease of one poll, due or not; None when another process holds it."""
    return _change(connection, instance_id, resource, now, {"lease_owner": owner, "lease_until": until})


def move(
    connection: Connection, instance_id: int, resource: str, *, now: int, values: Mapping[str, Any]
) -> PollRow | None:
    """Write a new state; None when a process holds the lease."""
    return _change(connection, instance_id, resource, now, {**values, "lease_owner": None, "lease_until": None})


def give_up(connection: Connection, poll: PollRow) -> None:
    """End a claim, if it still stands, and change nothing else."""
    connection.execute(
        update(polls)
        .where(
            polls.c.instance_id == poll.instance_id,
            polls.c.resource == poll.resource,
            polls.c.lease_owner == poll.lease_owner,
            polls.c.epoch == poll.epoch,
        )
        .values(lease_owner=None, lease_until=None)
    )


def forget_seen(connection: Connection, instance_id: int, resource: str) -> None:
    connection.execute(delete(seen).where(seen.c.instance_id == instance_id, seen.c.resource == resource))


def count_seen(connection: Connection, instance_id: int, resource: str) -> int:
    query = select(func.count()).select_from(seen).where(seen.c.instance_id == instance_id, seen.c.resource == resource)
    return connection.execute(query).scalar_one()


def _change(
    connection: Connection, instance_id: int, resource: str, now: int, values: Mapping[str, Any]
) -> PollRow | None:
    statement = (
        update(polls)
        .where(
            polls.c.instance_id == instance_id,
            polls.c.resource == resource,
            or_(polls.c.lease_until.is_(None), polls.c.lease_until < now),
        )
        .values(epoch=polls.c.epoch + 1, **values)
        .returning(polls)
    )
    row = connection.execute(statement).first()
    return None if row is None else PollRow(**row._mapping)
