"""Queries of `snapshots`: the last announced version of each object, compressed to about a quarter.

`Settings.snapshot_days` says how long a version is kept.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete

from .dialect import insert_rows, select_among
from .tables import snapshots

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from .polls import PollRow

# The fastest level: slower ones take twice the time and save only another tenth.
_LEVEL = 1


def of(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> dict[str, bytes]:
    """The last announced records of these objects, if any."""
    rows = select_among(connection, _OF, (poll.instance_id, poll.resource), object_ids)
    return {object_id: zlib.decompress(content) for object_id, content in rows}


_OF = "SELECT object_id, content FROM snapshots WHERE instance_id = ? AND resource = ? AND object_id AMONG ?"


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
    """Forget objects that have not changed since `before`."""
    connection.execute(
        delete(snapshots).where(
            snapshots.c.instance_id == poll.instance_id,
            snapshots.c.resource == poll.resource,
            snapshots.c.changed_at < before,
        )
    )
