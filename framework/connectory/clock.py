"""The time, as something that is passed in: production uses `SystemClock`, tests a clock of their own."""

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
        """Block until the event is set or the seconds are over; True where it is set."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch, exactly; the form in which the store keeps time."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def duration_micros(duration: timedelta) -> int:
    """A duration in whole microseconds, exactly."""
    return duration // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
