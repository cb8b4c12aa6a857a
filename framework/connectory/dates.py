"""Date patterns (Java's SimpleDateFormat) and time zones: compiled once, then called per record.

Nothing here reads a clock or the zone of the host. `compile_pattern` gives a `DateCodec`; a plugin whose
provider writes dates in a way no pattern can say returns an object of its own with the members of `Codec`.

Where Java and sense disagree, values are read as their author meant them: any number of fraction digits,
offsets with and without a colon, `yyy` as `yyyy`. A pattern that Java would take literally and that nobody
can mean (`YYYY`, `hh` without `a`, `mm` for the month) is read as the one that was meant, with a warning.
"""

from __future__ import annotations

import difflib
import math
import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from connectory.errors import DatePatternError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS = "milliseconds"

_PATTERN_LIMIT = 200
_VALUE_LIMIT = 120


class Codec(Protocol):
    """How one date field of a provider is read and written.

    `parse` takes what the provider's JSON holds and returns an aware UTC datetime, or raises ValueError.
    `format` takes an aware datetime; what it writes, `parse` reads back, down to `unit`, the finest step that
    the text can express. `warnings` are sentences for the person who configured the field.
    """

    @property
    def unit(self) -> timedelta: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    def parse(self, value: object, /) -> datetime: ...

    def format(self, moment: datetime, /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DateCodec:
    """A compiled pattern in one time zone. An offset inside a value wins over the zone.

    A local time that the clocks show twice is read as the EARLIER of the two instants: a cursor that is too
    early reads some records again, one that is too late skips them. A local time that the clocks leave out
    is read with the offset before the change, as Java does.
    """

    pattern: str
    timezone: tzinfo
    unit: timedelta
    warnings: tuple[str, ...]
    _read: Callable[[object], datetime]
    _write: Callable[[datetime], str]

    def parse(self, value: object, /) -> datetime:
        """An aware UTC datetime. ValueError names the value and the pattern."""
        try:
            return self._read(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{_shown(value)} is not a date of the pattern {self.pattern}: {error}") from error

    def format(self, moment: datetime, /) -> str:
        """The text of an aware datetime, cut (not rounded) to `unit`. ValueError for a naive one."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no time zone")
        return self._write(moment)


def compile_pattern(pattern: str, timezone: str | tzinfo | None = None) -> DateCodec:
    """`timezone` is that of values without an offset, by default UTC. DatePatternError points at the mistake."""
    return _compile(pattern, timezone)


@lru_cache(maxsize=512)
def _compile(pattern: str, timezone: str | tzinfo | None) -> DateCodec:
    zone = timezone if isinstance(timezone, tzinfo) else parse_timezone(timezone)
    if pattern.strip().rstrip("'").lower() == MILLISECONDS:
        unit = timedelta(milliseconds=1)
        return DateCodec(
            pattern=pattern, timezone=UTC, unit=unit, warnings=(), _read=_read_milliseconds, _write=_write_milliseconds
        )
    meant, repairs = _repair(pattern)
    tokens = _tokenize(meant)
    return DateCodec(
        pattern=pattern,
        timezone=zone,
        unit=_finest_unit(tokens),
        warnings=tuple(f"{pattern}: {warning}" for warning in (*repairs, *_doubts(tokens, zone, timezone))),
        _read=_iso_reader(meant, zone, _Reader(tokens, zone)),
        _write=_Writer(tokens, zone),
    )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[:_VALUE_LIMIT]}..."


# --- time zones -----------------------------------------------------------------------------------------------

_OFFSET = r"(?:GMT|UTC)?[+-][0-9]{1,2}(?::?[0-9]{2})?"
_OFFSET_PARTS = re.compile(r"(?:GMT|UTC)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)

_UTC_NAMES = frozenset({"", "utc", "gmt", "z", "ut", "etc/utc", "etc/gmt", "gmt0", "zulu", "universal", "greenwich"})

# As the name of a *zone* these follow daylight saving, as PST and CST do in Java. Java keeps EST and MST at their
# winter offset; whoever writes them means the clock on the wall, so they follow it too, with a warning.
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
_FIXED_IN_JAVA = {"EST": "-05:00", "MST": "-07:00"}
_SUMMER_NAMES = {
    "EDT": "America/New_York",
    "CDT": "America/Chicago",
    "MDT": "America/Denver",
    "PDT": "America/Los_Angeles",
}

# These are files of the zone database whose content depends on the host, or on nothing.
_HOST_ZONES = frozenset({"localtime", "posixrules", "factory"})

# As a *value* (pattern letter z) a name is one fixed offset, in minutes. Names that mean different offsets in
# different countries (IST, BST, AST) are left out; CST, EST, MST and PST are American, as in RFC 822.
_ABBREVIATIONS = {
    **dict.fromkeys(("Z", "UT", "UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("WEST", "CET", "MET"), 60),
    **dict.fromkeys(("CEST", "MEST", "EET"), 120),
    **dict.fromkeys(("EEST", "MSK"), 180),
    **dict.fromkeys(("SGT", "HKT", "AWST"), 480),
    **dict.fromkeys(("JST", "KST"), 540),
    **{"ACST": 570, "AEST": 600, "ACDT": 630, "AEDT": 660, "NZST": 720, "NZDT": 780},
    **{"EDT": -240, "EST": -300, "CDT": -300, "CST": -360, "MDT": -360, "MST": -420, "PDT": -420, "PST": -480},
    **{"AKDT": -480, "AKST": -540, "HST": -600},
}


def parse_timezone(name: str | None) -> tzinfo:
    """A zone from its IANA name (`America/Denver`), an offset (`-8:00`, `+0600`, `GMT-8`) or a short name.

    Empty or None is UTC. `PST`, `MST`, `CST` and `EST` are Los Angeles, Denver, Chicago and New York and follow
    daylight saving. Anything else is a DatePatternError: no name is looked up on the host.
    """
    return _zone((name or "").strip())


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name.lower() in _UTC_NAMES:
        return UTC
    zone = _fixed_offset(name) or _database_zone(_SHORT_ZONES.get(name.upper(), name))
    if zone is None:
        raise DatePatternError(f"unknown time zone {name}", text=name, position=0, hint=_zone_hint(name))
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
    if name.lower() in _HOST_ZONES:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone_hint(name: str) -> str:
    if summer := _SUMMER_NAMES.get(name.upper()):
        return f"write {summer}, which knows when summer time begins and ends"
    known = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
    if not known:
        return "this machine has no time zone database: install the package tzdata"
    nearest = difflib.get_close_matches(name.lower(), known, n=1)
    examples = "write a name such as America/Denver, or an offset such as -07:00"
    return f"did you mean {known[nearest[0]]}?" if nearest else examples


@lru_cache(maxsize=256)
def _zone_of_value(text: str) -> tzinfo:
    minutes = _ABBREVIATIONS.get(text.upper())
    if minutes is not None:
        return timezone(timedelta(minutes=minutes)) if minutes else UTC
    zone = _fixed_offset(text) or (_database_zone(text) if "/" in text else None)
    if zone is None:
        raise ValueError(f"{text} is not one certain time zone")
    return zone


# --- the pattern's parts --------------------------------------------------------------------------------------

_LETTERS = "yMdHhmsSEazZX"
_TOKEN = re.compile(r"(?P<quote>'')|'(?P<text>(?:[^']|'')+)'|(?P<field>([A-Za-z])\4*)|(?P<mark>[\[\]])|[^A-Za-z'\[\]]+")
_HINTS = {
    "T": "write 'T', in quotes",
    "x": "write X",
    "u": "write yyyy",
    "k": "write HH",
    "K": "write hh with a",
    "L": "write MM",
    "n": "write S, once per digit of the fraction",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One run of a letter; the brackets of an optional section are fields as well."""

    letter: str
    count: int
    position: int


_Token = _Field | str


def _tokenize(pattern: str) -> list[_Token]:
    if len(pattern) > _PATTERN_LIMIT:
        raise _mistake("the pattern is too long", pattern, _PATTERN_LIMIT, f"at most {_PATTERN_LIMIT} characters")
    tokens = list(_tokens(pattern))
    _check_brackets(pattern, tokens)
    for token in tokens:
        if isinstance(token, _Field):
            _check_letter(pattern, token)
    if not any(isinstance(token, _Field) and token.letter in "yMdHhmsS" for token in tokens):
        raise _mistake("the pattern names no part of a date", pattern, 0, "for example yyyy-MM-dd HH:mm:ss")
    return tokens


def _tokens(pattern: str) -> Iterator[_Token]:
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            yield from _unclosed(pattern, position)
            return
        yield _token(match)
        position = match.end()


def _token(match: re.Match[str]) -> _Token:
    if match["quote"]:
        return "'"
    if match["text"]:
        return match["text"].replace("''", "'")
    run = match["field"] or match["mark"]
    return _Field(run[0], len(run), match.start()) if run else match[0]


def _unclosed(pattern: str, position: int) -> Iterator[str]:
    # Published pages end patterns in a stray quote, or lose the last one of 'Z'. Anything longer may be a lost
    # quote in the middle, where everything behind it would silently become text.
    rest = pattern[position + 1 :]
    if rest not in ("", "Z"):
        raise _mistake("this quote is never closed", pattern, position, "quote text as in 'T'; a quote itself is ''")
    if rest:
        yield rest


def _check_letter(pattern: str, field: _Field) -> None:
    if field.letter in "[]":
        return
    if field.letter not in _LETTERS + "YD":
        hint = _HINTS.get(field.letter, f"the letters are {' '.join(_LETTERS)}; put text in quotes")
        raise _mistake(f"the letter {field.letter} has no meaning here", pattern, field.position, hint)
    if (field.letter == "X" and field.count > 3) or (field.letter == "M" and field.count > 4):
        run = field.letter * field.count
        raise _mistake(f"{run} is too long", pattern, field.position, "write X, XX, XXX, or M to MMMM")


def _check_brackets(pattern: str, tokens: list[_Token]) -> None:
    opened: list[int] = []
    for token in tokens:
        if not isinstance(token, _Field) or token.letter not in "[]":
            continue
        positions = range(token.position, token.position + token.count)
        if token.letter == "[":
            opened.extend(positions)
            continue
        for position in positions:
            if not opened:
                raise _mistake("this ] closes nothing", pattern, position, "quote it as ']' if it is text")
            opened.pop()
    if opened:
        raise _mistake("this [ is never closed", pattern, opened[-1], "quote it as '[' if it is text")


def _mistake(message: str, pattern: str, position: int, hint: str) -> DatePatternError:
    return DatePatternError(message, text=pattern, position=min(position, len(pattern)), hint=hint)


# --- patterns that cannot mean what they say --------------------------------------------------------------------


def _repair(pattern: str) -> tuple[str, list[str]]:
    """The pattern that was meant, of the same length, and a warning per change."""
    fields = [token for token in _tokenize(pattern) if isinstance(token, _Field) and token.letter not in "[]"]
    letters = list(pattern)
    notes = []
    for field, (letter, why) in _changes(fields):
        letters[field.position : field.position + field.count] = letter * field.count
        notes.append(f"{field.letter * field.count} is {why}; it is read as {letter * field.count}")
    meant = "".join(letters)
    return meant, [f"{note}. Write {meant}" for note in notes]


def _changes(fields: list[_Field]) -> Iterator[tuple[_Field, tuple[str, str]]]:
    found = {field.letter for field in fields}
    padded = ["", *(field.letter for field in fields), ""]
    around = dict(zip(fields, zip(padded, padded[2:], strict=False), strict=True))
    months = [field for field in fields if field.letter == "M" and not _between_times(field, around[field])]
    for field in fields:
        if field.letter == "Y":
            yield field, ("y", "the year of the week, which is another one around New Year")
        elif field.letter == "D":
            yield field, ("d", "the day of the year")
        elif field.letter == "h" and "a" not in found:
            yield field, ("H", "an hour of the morning or the afternoon, and the pattern has no a to tell which")
        elif field.letter == "M" and _between_times(field, around[field]):
            yield field, ("m", "the month")
        elif field.letter == "m" and not months and _between_dates(around[field]):
            yield field, ("M", "the minute")


def _between_times(field: _Field, around: tuple[str, str]) -> bool:
    return field.count <= 2 and (around[0] in ("H", "h") or around[1] == "s")


def _between_dates(around: tuple[str, str]) -> bool:
    return not set(around) & set("Hhs") and bool(set(around) & set("yYdD"))


_PARTS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second", "S": "fraction"}


def _doubts(tokens: list[_Token], zone: tzinfo, asked: str | tzinfo | None) -> Iterator[str]:
    found = {token.letter.replace("h", "H") for token in tokens if isinstance(token, _Field)}
    used = [letter for letter in _PARTS if letter in found]
    order = list(_PARTS)
    missing = [_PARTS[letter] for letter in order[: order.index(used[-1])] if letter not in found]
    if missing:
        yield f"it has no {' and no '.join(missing)}, so different moments look alike. Write yyyy-MM-dd HH:mm:ss"
    if zone is not UTC and not found & set("zZX") and "Z" in tokens:
        yield f"'Z' is only text, so values are local time of {asked}. Write X if they are UTC, or leave the zone empty"
    if isinstance(asked, str) and (offset := _FIXED_IN_JAVA.get(asked.upper())):
        yield f"the time zone {asked} follows summer time. Write {zone}, or {offset} if it does not"


def _finest_unit(tokens: list[_Token]) -> timedelta:
    return min(_unit(token) for token in tokens if isinstance(token, _Field) and token.letter in "yMdHhmsS")


def _unit(field: _Field) -> timedelta:
    if field.letter == "S":
        return max(timedelta(seconds=10.0**-field.count), timedelta(microseconds=1))
    hour = timedelta(hours=1)
    return {
        "y": timedelta(days=366),
        "M": timedelta(days=31),
        "d": timedelta(days=1),
        "H": hour,
        "h": hour,
        "m": timedelta(minutes=1),
        "s": timedelta(seconds=1),
    }[field.letter]


# --- reading ----------------------------------------------------------------------------------------------------

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTH_NUMBERS = {name[:3].lower(): number for number, name in enumerate(_MONTHS, start=1)}
_FRACTION = r"[.,]([0-9]+)"


class _Reader:
    """Any pattern, as a regular expression with one group per field."""

    def __init__(self, tokens: list[_Token], zone: tzinfo) -> None:
        pieces = list(_expressions(tokens))
        self.zone = zone
        self.letters = [letter for letters, _ in pieces for letter in letters]
        self.expression = re.compile("".join(text for _, text in pieces), re.IGNORECASE | re.ASCII)

    def __call__(self, value: object) -> datetime:
        if not isinstance(value, str) or len(value) > _VALUE_LIMIT:
            raise ValueError("a short text was expected")
        match = self.expression.fullmatch(value.strip())
        if match is None:
            raise ValueError("it has another shape")
        found = {letter: text for letter, text in zip(self.letters, match.groups(), strict=True) if text}
        local = datetime(
            _year(found.get("y", "1970")),
            _month(found.get("M", "1")),
            int(found.get("d", "1")),
            _hour(found),
            int(found.get("m", "0")),
            int(found.get("s", "0")),
            int(found.get("S", "0")[:6].ljust(6, "0")),
            tzinfo=_zone_of_value(found["z"]) if "z" in found else self.zone,
        )
        return local.astimezone(UTC)


def _expressions(tokens: list[_Token]) -> Iterator[tuple[str, str]]:
    """Per token: the letters of its groups, and its regular expression."""
    previous = ""
    for token, following in pairwise([*tokens, ""]):
        if isinstance(token, str):
            yield "", _text_expression(token, previous, following)
            continue
        glued = isinstance(following, _Field) and _is_number(following)
        if token.letter == "s" and not glued:
            # Providers leave out a fraction of zero, and send one that the pattern does not name.
            yield "sS", f"([0-9]{{1,2}})(?:{_FRACTION})?"
        elif token.letter == "S" and previous == "s.":
            yield "", ""
        else:
            yield _field_expression(token, glued)
        previous = token.letter
        if token.letter == "s" and following in (".", ","):
            previous = "s."


def _text_expression(text: str, previous: str, following: _Token) -> str:
    if previous == "s." and isinstance(following, _Field) and following.letter == "S":
        return ""
    return "[T ]" if text in ("T", " ") and previous == "d" else re.escape(text)


def _is_number(field: _Field) -> bool:
    return field.letter in "ydHhmsS" or (field.letter == "M" and field.count < 3)


def _field_expression(field: _Field, glued: bool) -> tuple[str, str]:
    """`glued`: digits of another field follow directly, so only the exact number of them belongs to this one."""
    letter = field.letter
    if letter == "[":
        return "", "(?:" * field.count
    if letter == "]":
        return "", ")?" * field.count
    if letter == "E":
        return "", f"(?:{'|'.join(f'{day[:3]}(?:{day[3:]})?' for day in _DAYS)})"
    if letter == "a":
        return "a", r"([AP])\.?M\.?"
    if letter in "zZX":
        return "z", rf"(Z|{_OFFSET}|[A-Z_]+(?:/[A-Z0-9_+-]+)*)"
    if letter == "y":
        return "y", "([0-9]{2})" if field.count == 2 and glued else "([0-9]{4})" if field.count != 2 else _SHORT_YEAR
    if letter == "M" and field.count > 2:
        return "M", f"({'|'.join(f'{month[:3]}(?:{month[3:]})?' for month in _MONTHS)})"
    if letter == "S" and not glued:
        return "S", "([0-9]+)"
    return letter, f"([0-9]{{{field.count}}})" if glued else "([0-9]{1,2})"


_SHORT_YEAR = "([0-9]{4}|[0-9]{2})"


def _year(text: str) -> int:
    # Java places a two-digit year around today; a codec has no clock, so it is 1970 to 2069.
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 70 else 1900)


def _month(text: str) -> int:
    return _MONTH_NUMBERS.get(text[:3].lower()) or int(text)


def _hour(found: dict[str, str]) -> int:
    if "h" not in found:
        return int(found.get("H", "0"))
    hour = int(found["h"])
    if not 1 <= hour <= 12:
        raise ValueError("hour must be in 1..12")
    return hour % 12 + (12 if found.get("a", "a").lower() == "p" else 0)


_ISO = re.compile(r"y{3,4}-MM-dd(?:'T'|' '| )HH:mm:ss(?:\.S+)?(?P<tail>'Z'?|X{1,3}|Z)?'?")


def _iso_reader(pattern: str, zone: tzinfo, careful: _Reader) -> Callable[[object], datetime]:
    """`datetime.fromisoformat` is ten times as fast as a regular expression; `careful` has the last word."""
    match = _ISO.fullmatch(pattern)
    if match is None:
        return careful
    if match["tail"] in ("X", "XX", "XXX", "Z"):
        return _offset_reader(careful)
    suffix = "Z" if match["tail"] else ""
    return _utc_reader(suffix, careful) if zone is UTC else _local_reader(suffix, zone, careful)


def _utc_reader(suffix: str, careful: _Reader) -> Callable[[object], datetime]:
    read = datetime.fromisoformat
    missing = "" if suffix else "Z"

    def parse(value: object) -> datetime:
        if isinstance(value, str) and len(value) >= 19 and value[10] in "T " and value.endswith(suffix):
            try:
                return read(value + missing)
            except ValueError:
                pass
        return careful(value)

    return parse


def _local_reader(suffix: str, zone: tzinfo, careful: _Reader) -> Callable[[object], datetime]:
    read = datetime.fromisoformat

    def parse(value: object) -> datetime:
        if isinstance(value, str) and len(value) >= 19 and value[10] in "T " and value.endswith(suffix):
            try:
                local = read(value.removesuffix(suffix))
            except ValueError:
                return careful(value)
            if local.tzinfo is None:
                return local.replace(tzinfo=zone).astimezone(UTC)
        return careful(value)

    return parse


def _offset_reader(careful: _Reader) -> Callable[[object], datetime]:
    read = datetime.fromisoformat

    def parse(value: object) -> datetime:
        if isinstance(value, str) and len(value) >= 19 and value[10] in "T ":
            try:
                moment = read(value)
            except ValueError:
                return careful(value)
            if moment.tzinfo is not None:
                return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return careful(value)

    return parse


_DIGITS = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,9})?")


def _read_milliseconds(value: object) -> datetime:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number of milliseconds since 1970 was expected")
    return EPOCH + timedelta(milliseconds=value)


# --- writing ----------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, tokens: list[_Token], zone: tzinfo) -> None:
        self.zone = zone
        self.pieces = [token for token in tokens if isinstance(token, str) or token.letter not in "[]"]
        self.has_offset = any(isinstance(token, _Field) and token.letter in "zZX" for token in tokens)

    def __call__(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        if self.has_offset:
            local = _in_whole_minutes(local)
        return "".join(piece if isinstance(piece, str) else _write(piece, local) for piece in self.pieces)


def _in_whole_minutes(local: datetime) -> datetime:
    # Before about 1972 some zones had offsets with seconds, which no pattern letter can write.
    seconds = _offset_of(local) % timedelta(minutes=1)
    return local.astimezone(timezone(_offset_of(local) - seconds)) if seconds else local


def _write(field: _Field, local: datetime) -> str:
    if field.letter in _NUMBERS:
        return f"{_NUMBERS[field.letter](local):0{field.count}d}"
    return _TEXTS[field.letter](local, field.count)


_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "d": lambda local: local.day,
    "H": lambda local: local.hour,
    "h": lambda local: local.hour % 12 or 12,
    "m": lambda local: local.minute,
    "s": lambda local: local.second,
}


def _write_month(local: datetime, count: int) -> str:
    name = _MONTHS[local.month - 1]
    return f"{local.month:0{count}d}" if count < 3 else name[:3] if count == 3 else name


def _write_offset(local: datetime, separator: str) -> str:
    minutes = _offset_of(local) // timedelta(minutes=1)
    hours, minutes = divmod(abs(minutes), 60) if minutes >= 0 else divmod(-minutes, 60)
    sign = "-" if _offset_of(local) < timedelta(0) else "+"
    return f"{sign}{hours:02d}{separator}{minutes:02d}"


def _write_iso_offset(local: datetime, count: int) -> str:
    if not _offset_of(local):
        return "Z"
    text = _write_offset(local, ":" if count == 3 else "")
    # Java's single X drops the minutes of +05:30 and with them half an hour; they stay.
    return text.removesuffix("00") if count == 1 else text


def _write_zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    if _offset_of(local) == timedelta(0) and name in ("UTC", "GMT"):
        return "GMT"
    if _ABBREVIATIONS.get(name) == _offset_of(local) / timedelta(minutes=1):
        return name
    return f"GMT{_write_offset(local, ':')}"


_TEXTS: dict[str, Callable[[datetime, int], str]] = {
    "y": lambda local, count: f"{local.year % 100:02d}" if count == 2 else f"{local.year:04d}",
    "M": _write_month,
    "S": lambda local, count: f"{local.microsecond:06d}".ljust(count, "0")[:count],
    "E": lambda local, count: _DAYS[local.weekday()][: 3 if count < 4 else None],
    "a": lambda local, _: "AM" if local.hour < 12 else "PM",
    "Z": lambda local, _: _write_offset(local, ""),
    "X": _write_iso_offset,
    "z": lambda local, _: _write_zone_name(local),
}


def _offset_of(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


def _write_milliseconds(moment: datetime) -> str:
    return str((moment - EPOCH) // timedelta(milliseconds=1))
