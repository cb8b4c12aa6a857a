"""The clock, which is passed to whatever needs the time, so that tests can use a clock of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware UTC."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Block until the event is set or the seconds are over; True if the event is set."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


def to_micros(moment: datetime) -> int:
    """The exact number of microseconds since 1970, which is how the store keeps time."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def duration_micros(duration: timedelta) -> int:
    """The exact number of whole microseconds in a duration."""
    return duration // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
