"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until `advance` is called. `wait` advances it as well, so that no test sleeps.

    >>> clock = ManualClock()
    >>> clock.advance(90)
    >>> clock.now().isoformat()
    '2026-01-01T12:01:30+00:00'
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def __call__(self) -> datetime:
        return self._now

    def advance(self, duration: timedelta | float) -> None:
        """Move forward by a timedelta or by seconds."""
        with self._lock:
            self._now += duration if isinstance(duration, timedelta) else timedelta(seconds=duration)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()
