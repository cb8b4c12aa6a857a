"""Queries of `snapshots`: each object as it was announced last. They are deflated, to about a quarter."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete

from .database import insert_rows, is_sqlite
from .tables import snapshots

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from .polls import PollRow

# The fastest level: the slower ones take twice the time and save another tenth.
_LEVEL = 1


def of(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> dict[str, bytes]:
    """The records of those objects that have been announced."""
    ids = list(object_ids)
    known: Any = json.dumps(ids) if is_sqlite(connection) else ids
    rows = connection.exec_driver_sql(_OF[is_sqlite(connection)], (poll.instance_id, poll.resource, known))
    return {object_id: zlib.decompress(content) for object_id, content in rows}


_OF = {
    True: (
        "SELECT object_id, content FROM snapshots WHERE instance_id = ? AND resource = ?"
        " AND object_id IN (SELECT value FROM json_each(?))"
    ),
    False: (
        "SELECT object_id, content FROM snapshots WHERE instance_id = %s AND resource = %s AND object_id = ANY(%s)"
    ),
}


def put(connection: Connection, poll: PollRow, records: Mapping[str, bytes], now: int) -> None:
    rows = [
        (poll.instance_id, poll.resource, object_id, zlib.compress(record, _LEVEL), now)
        for object_id, record in records.items()
    ]
    if rows:
        insert_rows(
            connection,
            "snapshots",
            ("instance_id", "resource", "object_id", "content", "changed_at"),
            rows,
            "ON CONFLICT (instance_id, resource, object_id) DO UPDATE"
            " SET content = excluded.content, changed_at = excluded.changed_at",
        )


def forget(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> None:
    rows = [
        {"of_instance": poll.instance_id, "of_resource": poll.resource, "of_object": object_id}
        for object_id in object_ids
    ]
    if rows:
        connection.execute(_FORGET, rows)


_FORGET = delete(snapshots).where(
    snapshots.c.instance_id == bindparam("of_instance"),
    snapshots.c.resource == bindparam("of_resource"),
    snapshots.c.object_id == bindparam("of_object"),
)


def forget_tracking(connection: Connection, instance_id: int, resources: Collection[str]) -> None:
    connection.execute(
        delete(snapshots).where(snapshots.c.instance_id == instance_id, snapshots.c.resource.in_(list(resources)))
    )


def prune(connection: Connection, poll: PollRow, before: int) -> None:
    """Forget what has not changed since then."""
    connection.execute(
        delete(snapshots).where(
            snapshots.c.instance_id == poll.instance_id,
            snapshots.c.resource == poll.resource,
            snapshots.c.changed_at < before,
        )
    )
