"""Queries of `events` and `notifications`: what was announced. The records are in the bodies of notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from .dialect import insert_rows, newest_of_each, select_among
from .tables import events, notifications

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """An event as stored; moments are microseconds. `position` is its place in the notification."""

    id: int
    instance_id: int
    resource: str
    object_id: str
    sequence: int
    type: str
    date: int
    version: str
    notification_id: int
    position: int
    created_at: int
    changed: Sequence[str] | None


def allocate(connection: Connection, name: str, count: int) -> int:
    """Take `count` consecutive numbers from a counter and return the first."""
    last: int = connection.execute(_ALLOCATE, {"name": name, "count": count}).scalar_one()
    return last - count + 1


_ALLOCATE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :count)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + :count RETURNING value"
)


NotificationTuple = tuple[int, int, str, bytes, int]
"""id, instance_id, resource, body, created_at"""

EventTuple = tuple[int, str, str, int, str, int, str, int, int, int, str | None]
"""instance_id, resource, object_id, sequence, type, date, version, notification_id, position, created_at, changed"""

_NOTIFICATION = ("id", "instance_id", "resource", "body", "created_at")
_EVENT = (
    "instance_id",
    "resource",
    "object_id",
    "sequence",
    "type",
    "date",
    "version",
    "notification_id",
    "position",
    "created_at",
    "changed",
)


def add_notifications(connection: Connection, rows: Sequence[NotificationTuple]) -> None:
    insert_rows(connection, "notifications", _NOTIFICATION, rows)


def add_events(connection: Connection, rows: Sequence[EventTuple]) -> None:
    insert_rows(connection, "events", _EVENT, rows)


def last_of(
    connection: Connection, instance_id: int, resource: str, object_ids: Collection[str]
) -> dict[str, tuple[int, str]]:
    """The sequence and version of the last event of each object that has one."""
    statement = newest_of_each(
        connection,
        table="events",
        group="object_id",
        rank="sequence",
        column="version",
        where="instance_id = ? AND resource = ? AND object_id AMONG ?",
    )
    rows = select_among(connection, statement, (instance_id, resource), object_ids)
    return {object_id: (sequence, version) for object_id, sequence, version in rows}


def find(
    connection: Connection,
    *,
    instance_id: int | None = None,
    resource: str | None = None,
    object_id: str | None = None,
    after: int = 0,
    limit: int | None = 100,
    newest_first: bool = False,
) -> list[EventRow]:
    """Events with an id above `after`."""
    query = select(events).where(events.c.id > after)
    if instance_id is not None:
        query = query.where(events.c.instance_id == instance_id)
    if resource is not None:
        query = query.where(events.c.resource == resource)
    if object_id is not None:
        query = query.where(events.c.object_id == object_id)
    query = query.order_by(events.c.id.desc() if newest_first else events.c.id)
    if limit is not None:
        query = query.limit(limit)
    return [EventRow(**row._mapping) for row in connection.execute(query)]


def bodies_of(connection: Connection, notification_ids: Collection[int]) -> dict[int, bytes]:
    query = select(notifications.c.id, notifications.c.body).where(notifications.c.id.in_(list(notification_ids)))
    return {row.id: bytes(row.body) for row in connection.execute(query)}


def last_id(connection: Connection) -> int:
    """The id of the newest event; 0 before the first one."""
    newest = connection.execute(select(events.c.id).order_by(events.c.id.desc()).limit(1)).scalar()
    return newest or 0
