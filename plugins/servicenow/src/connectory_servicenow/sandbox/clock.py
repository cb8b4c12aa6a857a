"""The instance's clock, and the GMT stamps with one-second steps that records carry."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

STAMP = "%Y-%m-%d %H:%M:%S"


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(STAMP)


def from_stamp(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def as_stamp(moment: datetime | str) -> str:
    """A stamp from a moment or from text; text without a zone is GMT, as in a record."""
    if isinstance(moment, datetime):
        return to_stamp(moment)
    return to_stamp(parse_moment(moment))


def parse_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        # A machine without a zone database still has to be able to run the sandbox.
        return UTC


class Clock:
    """A source of time that can be moved: `advance` and `set` add up, `skew` is one fixed difference."""

    def __init__(self, source: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._offset = timedelta()
        self._skew = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return (self._frozen or self._source()).astimezone(UTC) + self._offset + self._skew

    __call__ = now

    def stamp(self) -> str:
        return to_stamp(self.now())

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        self._offset += moment - self.now()

    def skew(self, seconds: float) -> None:
        self._skew = timedelta(seconds=seconds)

    def freeze(self, frozen: bool = True) -> None:
        now = self.now()
        self._frozen = self._source() if frozen else None
        self.set(now)
