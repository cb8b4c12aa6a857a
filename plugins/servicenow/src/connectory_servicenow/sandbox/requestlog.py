"""The last requests that came in, for tests to look at."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KEPT = 2000


@dataclass(frozen=True, kw_only=True)
class Entry:
    at: str
    method: str
    path: str
    params: dict[str, str]
    status: int
    user: str = ""
    grant: str = ""
    faults: tuple[str, ...] = ()
    rows: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass
class RequestLog:
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    total: int = 0

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.total += 1

    def last(self, count: int | None = None) -> Iterable[Entry]:
        entries = list(self.entries)
        return entries if count is None else entries[-count:] if count else []

    def clear(self) -> None:
        self.entries.clear()
