"""The provider's clock, which a test can move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def utc_now() -> datetime:
    """The real time in UTC.

    >>> utc_now().tzinfo
    datetime.timezone.utc
    """
    return datetime.now(UTC)


def iso_stamp(moment: datetime) -> str:
    """`2024-05-01T10:00:00Z`: UTC, without fractions of a second.

    >>> iso_stamp(datetime(2024, 5, 1, 10, 0, 0, 999, tzinfo=UTC))
    '2024-05-01T10:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_moment(text: str) -> datetime:
    """An ISO date or date-time; without a zone it is UTC. `ValueError` if it is neither.

    >>> parse_moment("2024-05-01").isoformat(), parse_moment("2024-05-01T12:00:00+02:00").utcoffset()
    ('2024-05-01T00:00:00+00:00', datetime.timedelta(seconds=7200))
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """A clock that a test can move: calls of `advance` and `set` add up, `skew` adds one fixed number of seconds.

    >>> clock = Clock(lambda: datetime(2024, 5, 1, tzinfo=UTC))
    >>> clock.advance(90)
    >>> clock.skew(-30)
    >>> clock.now().isoformat()
    '2024-05-01T00:01:00+00:00'
    """

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
