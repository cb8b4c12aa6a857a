"""What the store remembers of the objects that a poll meets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..records.fieldchanges import tracker_of
from ..store import events, polls
from .explanation import KnownNote

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import msgspec

    from ..plans.plan import Plan
    from ..records.changes import Change
    from ..store.database import Database
    from ..store.polls import PollRow


class StoreMemory:
    """The memory of one resource of one instance. It only reads."""

    def __init__(self, database: Database, poll: PollRow, plan: Plan) -> None:
        self._database = database
        self._poll = poll
        # Nothing is written here, so how long versions are kept makes no difference.
        self._tracker = tracker_of(plan, timedelta(0))

    def known(self, object_ids: Collection[str]) -> Mapping[str, KnownNote]:
        if not object_ids:
            return {}
        poll = self._poll
        with self._database.read() as connection:
            remembered = polls.seen_of(connection, poll, object_ids)
            others = set(object_ids) - remembered.keys()
            told = events.last_of(connection, poll.instance_id, poll.resource, others) if others else {}
        return {
            key: KnownNote(sequence=row.sequence, version=row.version, source="remembered for the overlap")
            for key, row in remembered.items()
        } | {
            key: KnownNote(sequence=sequence, version=version, source="its last event")
            for key, (sequence, version) in told.items()
        }

    def compare(self, change: Change, raws: Sequence[msgspec.Raw]) -> Change:
        if self._tracker is None:
            return change
        with self._database.read() as connection:
            return self._tracker.compare(connection, self._poll, [change], raws)[0]
