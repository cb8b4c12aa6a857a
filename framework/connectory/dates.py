"""Date patterns (Java's SimpleDateFormat): compiled once per pattern and zone, then called per record.

Nothing here reads a clock or the zone of the host. `compile_pattern` gives a `DateCodec`; a plugin whose
provider writes dates in a way no pattern can say returns an object of its own with the members of `Codec`.

Where Java and sense disagree, values are read as their author meant them: any number of fraction digits,
offsets with and without a colon, `yyy` as `yyyy`. A pattern that Java would take literally and that nobody
can mean (`YYYY`, `hh` without `a`, `mm` for the month) is read as the one that was meant, with a warning.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from .datepatterns import OFFSET_LETTERS, Field, Token, doubts, finest_unit, repair, tokenize
from .timezones import ABBREVIATIONS, OFFSET, normal_zone, parse_timezone, zone_of_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["EPOCH", "Codec", "DateCodec", "compile_pattern", "parse_timezone"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_VALUE_LIMIT = 120


class Codec(Protocol):
    """How one date field of a provider is read and written.

    `parse` takes what the provider's JSON holds and returns an aware UTC datetime, or raises ValueError.
    `format` takes an aware datetime; what it writes, `parse` reads back, down to `unit`, the finest step that
    the text can express. `warnings` are sentences for the person who configured the field.

    A provider that writes seconds since 1970, which no pattern can say:

    >>> class Seconds:
    ...     unit = timedelta(seconds=1)
    ...     warnings = ()
    ...     def parse(self, value: object, /) -> datetime:
    ...         return datetime.fromtimestamp(int(str(value)), UTC)
    ...     def format(self, moment: datetime, /) -> str:
    ...         return str(int(moment.timestamp()))
    >>> codec: Codec = Seconds()
    >>> codec.format(codec.parse(1767225600)), codec.parse("1767225600").isoformat()
    ('1767225600', '2026-01-01T00:00:00+00:00')
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
    """`timezone` is that of values without an offset, by default UTC. DatePatternError points at the mistake.

    >>> codec = compile_pattern("yyyy-MM-dd HH:mm:ss", "Europe/Berlin")
    >>> codec.parse("2026-07-01 12:00:00").isoformat(), codec.unit
    ('2026-07-01T10:00:00+00:00', datetime.timedelta(seconds=1))
    >>> compile_pattern("yyyy-MM-dd'T'HH:mm:ssXXX").format(datetime(2026, 7, 1, 10, tzinfo=UTC))
    '2026-07-01T10:00:00Z'
    """
    return _compile(pattern, timezone)


@lru_cache(maxsize=512)
def _compile(pattern: str, timezone: str | tzinfo | None) -> DateCodec:
    zone = normal_zone(timezone) if isinstance(timezone, tzinfo) else parse_timezone(timezone)
    if pattern.strip().rstrip("'").lower() == "milliseconds":
        return _milliseconds(pattern)
    meant, repairs = repair(pattern)
    tokens = tokenize(meant)
    return DateCodec(
        pattern=pattern,
        timezone=zone,
        unit=finest_unit(tokens),
        warnings=tuple(f"{pattern}: {warning}" for warning in (*repairs, *doubts(tokens, zone, timezone))),
        _read=_iso_reader(meant, zone, _Reader(tokens, zone)),
        _write=_Writer(tokens, zone),
    )


def _milliseconds(pattern: str) -> DateCodec:
    return DateCodec(
        pattern=pattern,
        timezone=UTC,
        unit=timedelta(milliseconds=1),
        warnings=(),
        _read=_read_milliseconds,
        _write=lambda moment: str((moment - EPOCH) // timedelta(milliseconds=1)),
    )


_DIGITS = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,9})?")


def _read_milliseconds(value: object) -> datetime:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number of milliseconds since 1970 was expected")
    return EPOCH + timedelta(milliseconds=value)


def _shown(value: object) -> str:
    text = repr(value[: 2 * _VALUE_LIMIT] if isinstance(value, str) else value)
    return text if len(text) <= _VALUE_LIMIT else f"{text[:_VALUE_LIMIT]}..."


# --- reading ----------------------------------------------------------------------------------------------------

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NUMBERS = {name[:3].lower(): number for number, name in enumerate(_MONTHS, start=1)}


class _Reader:
    """Any pattern, as a regular expression with one group per field."""

    def __init__(self, tokens: list[Token], zone: tzinfo) -> None:
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
            tzinfo=zone_of_value(found["z"]) if "z" in found else self.zone,
        )
        return local.astimezone(UTC)


def _expressions(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """For each part of the pattern the letters of its groups, and its regular expression."""
    position = 0
    while position < len(tokens):
        token, following = tokens[position], tokens[position + 1] if position + 1 < len(tokens) else ""
        glued = isinstance(following, Field) and _is_number(following)
        if isinstance(token, str):
            between = _letter(tokens, position - 1) + _letter(tokens, position + 1)
            yield "", "[T ]" if token in ("T", " ") and between in ("dH", "dh") else re.escape(token)
        elif token.letter == "s" and not glued:
            # Providers leave out a fraction of zero, and send one that the pattern does not name.
            yield "sS", r"([0-9]{1,2})(?:[.,]([0-9]+))?"
            if following in (".", ",") and _letter(tokens, position + 2) == "S":
                position += 2
        else:
            yield _field_expression(token, glued)
        position += 1


def _letter(tokens: list[Token], position: int) -> str:
    token = tokens[position] if 0 <= position < len(tokens) else ""
    return token.letter if isinstance(token, Field) else ""


def _is_number(field: Field) -> bool:
    return field.letter in "ydHhmsS" or (field.letter == "M" and field.count < 3)


_ALTERNATIVES = {
    "E": "(?:{})".format("|".join(f"{day[:3]}(?:{day[3:]})?" for day in _DAYS)),
    "M": "({})".format("|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)),
}
_ZONE = rf"(Z|{OFFSET}|[A-Z_]+(?:/[A-Z0-9_+-]+)*)"


def _field_expression(field: Field, glued: bool) -> tuple[str, str]:
    """`glued`: digits of another field follow directly, so only the exact number of them belongs to this one."""
    letter = field.letter
    if letter in "[]":
        return "", "(?:" if letter == "[" else ")?"
    if letter == "E":
        return "", _ALTERNATIVES["E"]
    if letter == "a":
        return "a", r"([AP])\.?M\.?"
    if letter in OFFSET_LETTERS:
        return "z", _ZONE
    if not _is_number(field):
        return letter, _ALTERNATIVES[letter]
    return letter, f"({_digits(field, glued)})"


def _digits(field: Field, glued: bool) -> str:
    if field.letter == "y":
        return "[0-9]{4}" if field.count != 2 else "[0-9]{2}" if glued else "[0-9]{4}|[0-9]{2}"
    if glued:
        return f"[0-9]{{{field.count}}}"
    return "[0-9]+" if field.letter == "S" else "[0-9]{1,2}"


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


_ISO = re.compile(r"y(?:y{2,3})?-MM-dd(?:'T'|' '| )HH:mm:ss(?:\.S+)?(?P<tail>'Z'?|X{1,3}|Z)?'?")


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
                return careful(value)
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


# --- writing ----------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, tokens: list[Token], zone: tzinfo) -> None:
        self.zone = zone
        self.pieces = [token for token in tokens if isinstance(token, str) or token.letter not in "[]"]
        self.has_offset = any(isinstance(token, Field) and token.letter in OFFSET_LETTERS for token in tokens)

    def __call__(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        if self.has_offset:
            local = _in_whole_minutes(local)
        return "".join(piece if isinstance(piece, str) else _write(piece, local) for piece in self.pieces)


def _in_whole_minutes(local: datetime) -> datetime:
    # Before about 1972 some zones had offsets with seconds, which no pattern letter can write.
    seconds = _offset_of(local) % timedelta(minutes=1)
    return local.astimezone(timezone(_offset_of(local) - seconds)) if seconds else local


def _offset_of(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


def _write(field: Field, local: datetime) -> str:
    if field.letter in _NUMBERS:
        return f"{_NUMBERS[field.letter](local):0{field.count}d}"
    return _TEXTS[field.letter](local, field.count)


def _write_month(local: datetime, count: int) -> str:
    name = _MONTHS[local.month - 1]
    return f"{local.month:0{count}d}" if count < 3 else name[:3] if count == 3 else name


def _write_offset(local: datetime, separator: str = "") -> str:
    offset = _offset_of(local)
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02d}{separator}{minutes:02d}"


def _write_iso_offset(local: datetime, count: int) -> str:
    if not _offset_of(local):
        return "Z"
    text = _write_offset(local, ":" if count == 3 else "")
    # Java's single X drops the minutes of +05:30, and with them half an hour; here they stay.
    return text[:3] if count == 1 and text.endswith("00") else text


def _write_zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    offset = _offset_of(local)
    if not offset and name == "UTC":
        return "GMT"
    certain = ABBREVIATIONS.get(name) == offset / timedelta(minutes=1)
    return name if certain else f"GMT{_write_offset(local, ':')}"


_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "d": lambda local: local.day,
    "H": lambda local: local.hour,
    "h": lambda local: local.hour % 12 or 12,
    "m": lambda local: local.minute,
    "s": lambda local: local.second,
}
_TEXTS: dict[str, Callable[[datetime, int], str]] = {
    "y": lambda local, count: f"{local.year % 100:02d}" if count == 2 else f"{local.year:04d}",
    "M": _write_month,
    "S": lambda local, count: f"{local.microsecond:06d}".ljust(count, "0")[:count],
    "E": lambda local, count: _DAYS[local.weekday()][: 3 if count < 4 else None],
    "a": lambda local, _: "AM" if local.hour < 12 else "PM",
    "Z": lambda local, _: _write_offset(local),
    "X": _write_iso_offset,
    "z": lambda local, _: _write_zone_name(local),
}
