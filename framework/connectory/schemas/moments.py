"""Reads the dates that people write: aware UTC, in a range of years in which later arithmetic cannot overflow."""

from __future__ import annotations

from datetime import UTC, datetime

from dateutil.parser import isoparse

# In years outside this range, adding a time zone or an overlap could give a date that Python cannot hold.
_FIRST_YEAR, _LAST_YEAR = 1971, 2999

MOMENT_RANGE = f"between the years {_FIRST_YEAR} and {_LAST_YEAR}"


def parse_moment(text: str) -> datetime:
    """An ISO date-time as aware UTC; without an offset it is in UTC. ValueError for any other text or year."""
    moment = isoparse(text)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not {MOMENT_RANGE}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_first_poll(policy: str, now: datetime) -> datetime:
    """The moment from which changes are announced, aware UTC. `policy` is `now`, `all` or an ISO date-time."""
    if policy == "now":
        return now
    if policy == "all":
        return datetime(1970, 1, 2, tzinfo=UTC)
    return parse_moment(policy)
