"""What a record of a page means: `Meaning`, `Change`, and the numbers of events. Pure: no I/O, no clock."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..model import EventType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import msgspec


class Meaning(enum.StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    SEEN = "seen"
    BEFORE_WINDOW = "before the window"
    NEXT_POLL = "left to the next poll"
    BASELINE = "baseline"
    HIDDEN = "hidden"
    IGNORED = "ignored"
    DELETED = "deleted"

    @property
    def is_announced(self) -> bool:
        return self in _EVENT_TYPES


_EVENT_TYPES = {
    Meaning.CREATED: EventType.CREATED,
    Meaning.UPDATED: EventType.UPDATED,
    Meaning.DELETED: EventType.DELETED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One record that is announced or remembered. `row` is its place in the page, `date` is in microseconds.

    `last` is the number of the object's last event before this change, and 0 if it had none. `changed` names the
    fields that differ from the last version, and `previous` holds their values in that version. If the record
    should have a date, but none can be read, `unreadable_date` is True.
    """

    row: int
    object_id: str
    version: str
    meaning: Meaning
    reason: str
    date: int | None
    last: int
    changed: Sequence[str] | None = None
    previous: Mapping[str, msgspec.Raw] | None = None
    unreadable_date: bool = False

    @property
    def sequence(self) -> int:
        """The number of the object's last event after this change: only an announced change takes a new number."""
        return self.last + 1 if self.meaning.is_announced else self.last

    @property
    def type(self) -> EventType:
        return _EVENT_TYPES[self.meaning]
