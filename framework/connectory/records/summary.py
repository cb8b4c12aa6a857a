"""What a poll did, in counts, and who is told of it while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import from_micros
from ..serialize import camel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import ConnectoryError
    from .outbox import Announced


@dataclass(kw_only=True, slots=True)
class Summary:
    """What a poll did; the counts are of records."""

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

    def as_dict(self) -> dict[str, Any]:
        """For the store and for people: moments as ISO text, counts that are zero left out."""
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
    """Watches the engine; each method may be left as it is. They are called from worker threads."""

    def announced(self, found: Sequence[Announced]) -> None: ...

    def page_read(self, summary: Summary) -> None: ...

    def polled(self, summary: Summary) -> None: ...
