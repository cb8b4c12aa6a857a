"""Writes a moment as the text that a date pattern describes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from .datepatterns import DAYS, MONTHS, OFFSET_LETTERS, Field, Token
from .timezones import ABBREVIATIONS

if TYPE_CHECKING:
    from collections.abc import Callable


class Writer:
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
    name = MONTHS[local.month - 1]
    return f"{local.month:0{count}d}" if count < 3 else name[:3] if count == 3 else name


def _write_offset(local: datetime, separator: str = "") -> str:
    offset = _offset_of(local)
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02d}{separator}{minutes:02d}"


def _write_iso_offset(local: datetime, count: int) -> str:
    if not _offset_of(local):
        return "Z"
    text = _write_offset(local, ":" if count == 3 else "")
    # In Java a single X drops the minutes of +05:30, which loses half an hour. Here the minutes stay.
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
    "E": lambda local, count: DAYS[local.weekday()][: 3 if count < 4 else None],
    "a": lambda local, _: "AM" if local.hour < 12 else "PM",
    "Z": lambda local, _: _write_offset(local),
    "X": _write_iso_offset,
    "z": lambda local, _: _write_zone_name(local),
}
