"""Keeps the last requests, so that tests can look at them."""

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
    """One request. `user` is empty if nobody was logged in; `rows` is None if the answer is not a list.

    >>> from datetime import UTC, datetime
    >>> entry = Entry(at=datetime(2024, 5, 1, tzinfo=UTC), method="GET", path="/orders", params={}, status=200, rows=20)
    >>> entry.as_json()["at"], entry.rows, entry.faults
    ('2024-05-01T00:00:00+00:00', 20, ())
    """

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
    """The last 2,000 requests of a sandbox; `total` counts all of them.

    >>> from connectory.sandbox import Sandbox
    >>> from werkzeug.test import Client
    >>> fake = Sandbox()
    >>> [Client(fake).get(path).status_code for path in ("/orders", "/customers", "/orders")]
    [404, 404, 404]
    >>> len(fake.log.of("/orders")), fake.log.last(1)[0].status, fake.log.total
    (2, 404, 3)
    """

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
