"""What a poll did, in counts, and the observers that are told while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import from_micros
from ..serialize import camel
from .changes import Meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import ConnectoryError
    from .changes import Change
    from .identify import Identified
    from .outbox import AnnouncedEvent


@dataclass(kw_only=True, slots=True)
class Summary:
    """What a poll did. `start` and `end` are in microseconds, `duration` is in seconds.

    Each `Meaning` has a count of records under its own name.
    """

    instance_id: int
    resource: str
    start: int
    end: int
    pages: int = 0
    records: int = 0
    created: int = 0
    updated: int = 0
    seen: int = 0
    before_window: int = 0
    next_poll: int = 0
    baseline: int = 0
    hidden: int = 0
    ignored: int = 0
    deleted: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None
    error: ConnectoryError | None = None
    duration: float = 0.0

    def count_page(self, records: Identified) -> None:
        self.pages += 1
        self.records += len(records.ids)
        self.hidden += len(records.ids) - records.usable

    def count(self, change: Change) -> None:
        """Count a change under its meaning, and add a warning if the date of its record cannot be read."""
        name = change.meaning.name.lower()
        setattr(self, name, getattr(self, name) + 1)
        if change.meaning is Meaning.UPDATED and change.unreadable_date:
            self.warnings.append(change.reason)

    def as_dict(self) -> dict[str, Any]:
        """The summary for the store and for people: moments as ISO text, without counts that are zero."""
        return {
            "from": from_micros(self.start).isoformat(),
            "until": from_micros(self.end).isoformat(),
            **{camel(name): getattr(self, name) for name in _COUNTS if getattr(self, name)},
            **({"warnings": self.warnings[:10]} if self.warnings else {}),
            **({"failure": self.failure} if self.failure else {}),
            "seconds": round(self.duration, 3),
        }


_COUNTS = (
    "pages",
    "records",
    "created",
    "updated",
    "deleted",
    "seen",
    "before_window",
    "next_poll",
    "baseline",
    "hidden",
    "ignored",
)


class Observer:
    """Base class for observers of the engine: override the methods you need. Worker threads call them."""

    def announced(self, found: Sequence[AnnouncedEvent]) -> None: ...

    def page_read(self, summary: Summary) -> None: ...

    def polled(self, summary: Summary) -> None: ...
