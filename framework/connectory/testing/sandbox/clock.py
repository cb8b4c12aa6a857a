"""The provider's clock, which a test can move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso_stamp(moment: datetime) -> str:
    """`2024-05-01T10:00:00Z`: UTC, cut to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """An ISO date or date-time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """A source of time that can be moved: `advance` and `set` add up, `skew` is one fixed difference."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self.source = source
        self._offset = timedelta()
        self._skew = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return (self._frozen or self.source()).astimezone(UTC) + self._offset + self._skew

    __call__ = now

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        self._offset += moment - self.now()

    def skew(self, seconds: float) -> None:
        self._skew = timedelta(seconds=seconds)

    def freeze(self, frozen: bool = True) -> None:
        now = self.now()
        self._frozen = self.source() if frozen else None
        self.set(now)
