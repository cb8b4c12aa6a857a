"""Date patterns (Java's SimpleDateFormat): compiled once per pattern and zone, then called per record.

Nothing here reads a clock or the zone of the host. `compile_pattern` gives a `DateCodec`. If a provider writes dates
in a way that no pattern can express, its plugin returns an object of its own with the members of `Codec`.

The reading is more tolerant than Java's: any number of fraction digits, offsets with and without a colon, `yyy` as
`yyyy`. Some patterns are almost certainly mistakes (`YYYY`, `hh` without `a`, `mm` for the month). They are read as the
pattern that was meant, with a warning. `datereading` reads texts and `datewriting` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from .datepatterns import doubts, finest_unit, repair, tokenize
from .datereading import EPOCH, VALUE_LIMIT, Reader, iso_reader, read_milliseconds
from .datewriting import Writer
from .timezones import normal_zone, parse_timezone

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EPOCH", "Codec", "DateCodec", "compile_pattern", "parse_timezone"]


class Codec(Protocol):
    """How one date field of a provider is read and written.

    `parse` takes what the provider's JSON holds and returns an aware UTC datetime, or raises ValueError.
    `format` takes an aware datetime; what it writes, `parse` reads back, down to `unit`, the finest step that
    the text can express. `ambiguity` is how much too early `parse` may read a text: one hour for local time in a zone
    that puts its clocks back, because one hour of that night is written twice, and zero for everything else.
    `warnings` are sentences for the person who configured the field.

    A provider that writes seconds since 1970, which no pattern can express:

    >>> class Seconds:
    ...     unit = timedelta(seconds=1)
    ...     ambiguity = timedelta(0)
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
    def ambiguity(self) -> timedelta: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    def parse(self, value: object, /) -> datetime: ...

    def format(self, moment: datetime, /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DateCodec:
    """A compiled pattern in one time zone. An offset inside a value wins over the zone.

    A local time that occurs twice when clocks are put back is read as the EARLIER of the two moments: a cursor that is
    too early reads some records again, but a cursor that is too late skips records. A local time that is skipped when
    clocks are put forward is read with the offset before the change, as Java does.
    """

    pattern: str
    timezone: tzinfo
    unit: timedelta
    warnings: tuple[str, ...]
    _read: Callable[[object], datetime]
    _write: Callable[[datetime], str]

    @property
    def ambiguity(self) -> timedelta:
        """Zero for a zone with one fixed offset; see `Codec`."""
        return timedelta(0) if self.timezone.utcoffset(None) is not None else timedelta(hours=1)

    def parse(self, value: object, /) -> datetime:
        """The moment as an aware UTC datetime. A ValueError names the value and the pattern."""
        try:
            return self._read(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{_shown(value)} is not a date of the pattern {self.pattern}: {error}") from error

    def format(self, moment: datetime, /) -> str:
        """The text of an aware datetime, cut (not rounded) to `unit`. A naive datetime raises a ValueError."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no time zone")
        return self._write(moment)


def compile_pattern(pattern: str, timezone: str | tzinfo | None = None) -> DateCodec:
    """The codec of a pattern. `timezone` is the zone of values without an offset, by default UTC.

    A `DatePatternError` points at a mistake in the pattern.

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
        _read=iso_reader(meant, zone, Reader(tokens, zone)),
        _write=Writer(tokens, zone),
    )


def _milliseconds(pattern: str) -> DateCodec:
    return DateCodec(
        pattern=pattern,
        timezone=UTC,
        unit=timedelta(milliseconds=1),
        warnings=(),
        _read=read_milliseconds,
        _write=lambda moment: str((moment - EPOCH) // timedelta(milliseconds=1)),
    )


def _shown(value: object) -> str:
    text = repr(value[: 2 * VALUE_LIMIT] if isinstance(value, str) else value)
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}..."
