"""The last requests that came in, for tests to look at."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

KEPT = 2000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`user` is empty of a call that nobody was logged in for, `rows` None of one that lists nothing."""

    at: datetime
    method: str
    path: str
    params: Mapping[str, str]
    status: int
    user: str = ""
    grant: str = ""
    faults: tuple[str, ...] = ()
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat()}


@dataclass
class RequestLog:
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    total: int = 0

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.total += 1

    def last(self, count: int | None = None) -> Sequence[Entry]:
        entries = list(self.entries)
        return entries if count is None else entries[-count:] if count else []

    def of(self, path: str) -> list[Entry]:
        """The requests for one path."""
        return [entry for entry in self.entries if entry.path == path]

    def clear(self) -> None:
        self.entries.clear()
