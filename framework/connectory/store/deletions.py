"""Queries of `deletions`, `objects` and `tombstones`: up to when deletions are known, and which objects exist.

They belong to a poll, and only the holder of its claim writes them: see `polls.hold`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from .dialect import insert_rows, select_among
from .tables import deletions, objects, tombstones

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from .polls import PollRow


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionRow:
    """How deletions of one resource of one instance are tracked; moments are microseconds."""

    instance_id: int
    resource: str
    started: int
    since: int
    next_due_at: int
    sweep: int
    completed_at: int | None
    failures: int
    failure: str | None
    alarm: str | None
    allowed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """How many objects of a resource are known, and how many of them a sweep did not list."""

    known: int
    missing: int

    @property
    def listed(self) -> int:
        return self.known - self.missing


def get(connection: Connection, instance_id: int, resource: str) -> DeletionRow | None:
    row = connection.execute(_GET, {"of_instance": instance_id, "of_resource": resource}).first()
    return None if row is None else DeletionRow(**row._mapping)


def find(connection: Connection, instance_id: int) -> list[DeletionRow]:
    query = select(deletions).where(deletions.c.instance_id == instance_id).order_by(deletions.c.resource)
    return [DeletionRow(**row._mapping) for row in connection.execute(query)]


def begin(connection: Connection, poll: PollRow, *, started: int, now: int) -> DeletionRow:
    values = {"started": started, "since": started, "next_due_at": now}
    connection.execute(
        insert(deletions).values(instance_id=poll.instance_id, resource=poll.resource, sweep=0, failures=0, **values)
    )
    return DeletionRow(
        instance_id=poll.instance_id,
        resource=poll.resource,
        sweep=0,
        completed_at=None,
        failures=0,
        failure=None,
        alarm=None,
        allowed=False,
        **values,
    )


def change(connection: Connection, instance_id: int, resource: str, values: Mapping[str, Any]) -> bool:
    statement = update(deletions).where(deletions.c.instance_id == instance_id, deletions.c.resource == resource)
    return connection.execute(statement.values(**values)).rowcount == 1


def forget_tracking(connection: Connection, instance_id: int, resources: Collection[str]) -> None:
    for table in (deletions, objects, tombstones):
        connection.execute(
            delete(table).where(table.c.instance_id == instance_id, table.c.resource.in_(list(resources)))
        )


_GET = select(deletions).where(
    deletions.c.instance_id == bindparam("of_instance"), deletions.c.resource == bindparam("of_resource")
)


# Tombstones


def buried(connection: Connection, poll: PollRow, entries: Collection[str]) -> set[str]:
    """Which of these entries were handled already."""
    rows = select_among(connection, _BURIED, (poll.instance_id, poll.resource), entries)
    return {entry for (entry,) in rows}


_BURIED = "SELECT entry FROM tombstones WHERE instance_id = ? AND resource = ? AND entry AMONG ?"


def bury(connection: Connection, poll: PollRow, entries: Mapping[str, int]) -> None:
    """Remember entries as handled. `entries` maps each key to its moment."""
    rows = [(poll.instance_id, poll.resource, entry, at) for entry, at in entries.items()]
    if rows:
        names = ("instance_id", "resource", "entry", "at")
        insert_rows(connection, "tombstones", names, rows, "ON CONFLICT DO NOTHING")


def forget_buried(connection: Connection, poll: PollRow, before: int) -> None:
    connection.execute(
        delete(tombstones).where(
            tombstones.c.instance_id == poll.instance_id,
            tombstones.c.resource == poll.resource,
            tombstones.c.at < before,
        )
    )


# Objects

_OBJECT = ("instance_id", "resource", "object_id", "sweep", "missed")


def add_objects(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> None:
    """Add objects that are not known yet, as objects that no sweep has listed."""
    rows = [(poll.instance_id, poll.resource, object_id, 0, 0) for object_id in dict.fromkeys(object_ids)]
    if rows:
        insert_rows(connection, "objects", _OBJECT, rows, "ON CONFLICT DO NOTHING")


def list_objects(connection: Connection, poll: PollRow, object_ids: Collection[str], sweep: int) -> None:
    """Write down that a sweep has listed these objects, which may be new."""
    rows = [(poll.instance_id, poll.resource, object_id, sweep, 0) for object_id in dict.fromkeys(object_ids)]
    if rows:
        same = "ON CONFLICT (instance_id, resource, object_id) DO UPDATE SET sweep = excluded.sweep, missed = 0"
        insert_rows(connection, "objects", _OBJECT, rows, same)


def count_objects(connection: Connection, poll: PollRow, sweep: int) -> Census:
    query = select(func.count(), func.count().filter(objects.c.sweep != sweep)).where(*_of(poll))
    known, missing = connection.execute(query).one()
    return Census(known=known, missing=missing)


def count_miss(connection: Connection, poll: PollRow, sweep: int) -> None:
    """Count one more complete sweep against the objects that it did not list."""
    connection.execute(update(objects).where(*_of(poll), objects.c.sweep != sweep).values(missed=objects.c.missed + 1))


def missing_objects(
    connection: Connection, poll: PollRow, sweep: int, *, misses: int, after: str, limit: int
) -> list[str]:
    """The ids, in order, of objects that at least `misses` sweeps in a row did not list, including this one."""
    query = (
        select(objects.c.object_id)
        .where(*_of(poll), objects.c.sweep != sweep, objects.c.missed >= misses, objects.c.object_id > after)
        .order_by(objects.c.object_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def any_listed(connection: Connection, poll: PollRow, sweep: int) -> str | None:
    found: str | None = connection.execute(
        select(objects.c.object_id).where(*_of(poll), objects.c.sweep == sweep).limit(1)
    ).scalar()
    return found


def forget_objects(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> None:
    rows = [
        {"of_instance": poll.instance_id, "of_resource": poll.resource, "of_object": object_id}
        for object_id in object_ids
    ]
    if rows:
        connection.execute(_FORGET, rows)


_FORGET = delete(objects).where(
    objects.c.instance_id == bindparam("of_instance"),
    objects.c.resource == bindparam("of_resource"),
    objects.c.object_id == bindparam("of_object"),
)


def _of(poll: PollRow) -> tuple[Any, Any]:
    return objects.c.instance_id == poll.instance_id, objects.c.resource == poll.resource
