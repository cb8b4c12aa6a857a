"""What is known of an object: the number of its last event, and the version that was announced or remembered last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..store import events, polls

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection

    from ..store.polls import PollRow

DELETED_PREFIX = "(deleted) "
"""The version of an object that was announced as deleted starts with this; no provider's stamp does."""


class Known(NamedTuple):
    """`sequence` is the number of the object's last event, and 0 if it had none."""

    sequence: int
    version: str

    @property
    def is_deleted(self) -> bool:
        return self.version.startswith(DELETED_PREFIX)


def deleted_version(proof: str) -> str:
    return f"{DELETED_PREFIX}{proof}"


def recall(connection: Connection, poll: PollRow, object_ids: AbstractSet[str]) -> dict[str, Known]:
    """What the store knows of each object: the version remembered for the overlap or, without one, its last event."""
    seen = polls.seen_of(connection, poll, object_ids)
    known = {key: Known(row.sequence, row.version) for key, row in seen.items()}
    others = object_ids - known.keys()
    if others:
        before = events.last_of(connection, poll.instance_id, poll.resource, others)
        known |= {key: Known(sequence, version) for key, (sequence, version) in before.items()}
    return known
