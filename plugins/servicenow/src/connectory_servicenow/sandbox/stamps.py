"""The GMT stamps with one-second steps that records carry, and time zones."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from connectory.sandbox import parse_moment

STAMP = "%Y-%m-%d %H:%M:%S"


def to_stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(STAMP)


def from_stamp(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def as_stamp(moment: datetime | str) -> str:
    """A stamp from a moment or from text; text without a zone is GMT, as in a record."""
    if isinstance(moment, datetime):
        return to_stamp(moment)
    return to_stamp(parse_moment(moment))


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        # The sandbox must also run on a machine without a time zone database.
        return UTC
