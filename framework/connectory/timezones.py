"""Time zones by name, and the zone names inside values. The settings of the host are never used."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache

from .errors import DatePatternError

OFFSET = r"(?:GMT|UTC)?[+-][0-9]{1,2}(?::?[0-9]{2})?"
_OFFSET_PARTS = re.compile(r"(?:GMT|UTC)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)

_UTC_NAMES = frozenset({"", "utc", "gmt", "z", "ut", "etc/utc", "etc/gmt", "gmt0", "zulu", "universal", "tzutc()"})

# As names of zones these follow daylight saving time, as PST and CST do in Java. Java keeps EST and MST at their winter
# offset, but people who write them mean local time. So these follow daylight saving time too, with a warning.
_SHORT_ZONES = {
    "EST": "America/New_York",
    "CST": "America/Chicago",
    "MST": "America/Denver",
    "PST": "America/Los_Angeles",
    "AET": "Australia/Sydney",
    "CTT": "Asia/Shanghai",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
}
FIXED_IN_JAVA = {"EST": "-05:00", "MST": "-07:00"}
_SUMMER_NAMES = {
    "EDT": "America/New_York",
    "CDT": "America/Chicago",
    "MDT": "America/Denver",
    "PDT": "America/Los_Angeles",
}

# Files of the zone database that depend on the host, or that do not describe a zone.
_NO_ZONES = frozenset({"localtime", "posixrules", "factory"})

# Inside a value (pattern letter z) a name stands for one fixed offset. Names that mean different offsets in different
# countries (IST, BST, AST) are left out. CST, EST, MST and PST are American, as in RFC 822.
_NAMES_BY_MINUTES_EAST = {
    0: "Z UT UTC GMT WET",
    60: "WEST CET MET",
    120: "CEST MEST EET",
    180: "EEST MSK",
    480: "SGT HKT AWST",
    540: "JST KST",
    570: "ACST",
    600: "AEST",
    630: "ACDT",
    660: "AEDT",
    720: "NZST",
    780: "NZDT",
    -240: "EDT",
    -300: "EST CDT",
    -360: "CST MDT",
    -420: "MST PDT",
    -480: "PST AKDT",
    -540: "AKST",
    -600: "HST",
}
ABBREVIATIONS = {name: minutes for minutes, names in _NAMES_BY_MINUTES_EAST.items() for name in names.split()}


def parse_timezone(name: str | None) -> tzinfo:
    """A zone from its IANA name (`America/Denver`), an offset (`-8:00`, `+0600`, `GMT-8`) or a short name.

    Empty or None is UTC. `PST`, `MST`, `CST` and `EST` are Los Angeles, Denver, Chicago and New York and follow
    daylight saving time. Any other name raises a `DatePatternError`.
    """
    return _zone((name or "").strip())


def normal_zone(zone: tzinfo) -> tzinfo:
    """The zone itself, but `datetime.UTC` for every spelling of UTC, so that `zone is UTC` works."""
    return UTC if str(zone).lower() in _UTC_NAMES else zone


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name.lower() in _UTC_NAMES:
        return UTC
    zone = _fixed_offset(name) or _database_zone(_SHORT_ZONES.get(name.upper(), name))
    if zone is None:
        raise DatePatternError(f"unknown time zone {name[:60]}", text=name, position=0, hint=_zone_hint(name))
    return zone


@lru_cache(maxsize=256)
def zone_of_value(text: str) -> tzinfo:
    """The zone of an offset or zone name inside a value. An ambiguous name raises a ValueError."""
    minutes = ABBREVIATIONS.get(text.upper())
    if minutes is not None:
        return timezone(timedelta(minutes=minutes)) if minutes else UTC
    zone = _fixed_offset(text) or (_database_zone(text) if "/" in text else None)
    if zone is None:
        raise ValueError(f"{text} can mean several time zones, or none")
    return zone


def _fixed_offset(text: str) -> tzinfo | None:
    match = _OFFSET_PARTS.fullmatch(text)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 23 or minutes > 59:
        return None
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if match[1] == "-" else size) if size else UTC


def _database_zone(name: str) -> tzinfo | None:
    if name.lower() in _NO_ZONES:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone_hint(name: str) -> str:
    if summer := _SUMMER_NAMES.get(name.upper()):
        return f"write {summer}, which includes the change to summer time and back"
    known = {zone.lower(): zone for zone in zoneinfo.available_timezones() if zone.lower() not in _NO_ZONES}
    if not known:
        return "this machine has no time zone database: install the package tzdata"
    nearest = difflib.get_close_matches(name[:60].lower(), known, n=1)
    examples = "write a name such as America/Denver, or an offset such as -07:00"
    return f"did you mean {known[nearest[0]]}?" if nearest else examples
