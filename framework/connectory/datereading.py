"""Reads the text that a date pattern describes: by a regular expression, and faster where the pattern is ISO 8601."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from .datepatterns import DAYS, MONTHS, OFFSET_LETTERS, Field, Token
from .timezones import OFFSET, zone_of_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VALUE_LIMIT = 120
"""The most characters of a date; longer values are refused."""

_MONTH_NUMBERS = {name[:3].lower(): number for number, name in enumerate(MONTHS, start=1)}


class Reader:
    """Reads values of any pattern, with a regular expression that has one group per field."""

    def __init__(self, tokens: list[Token], zone: tzinfo) -> None:
        pieces = list(_expressions(tokens))
        self.zone = zone
        self.letters = [letter for letters, _ in pieces for letter in letters]
        self.expression = re.compile("".join(text for _, text in pieces), re.IGNORECASE | re.ASCII)

    def __call__(self, value: object) -> datetime:
        if not isinstance(value, str) or len(value) > VALUE_LIMIT:
            raise ValueError("expected a short text")
        match = self.expression.fullmatch(value.strip())
        if match is None:
            raise ValueError("its form is different")
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
    """For each part of the pattern: the letters of its groups, and its regular expression."""
    position = 0
    while position < len(tokens):
        token, following = tokens[position], tokens[position + 1] if position + 1 < len(tokens) else ""
        glued = isinstance(following, Field) and _is_number(following)
        if isinstance(token, str):
            between = _letter(tokens, position - 1) + _letter(tokens, position + 1)
            yield "", "[T ]" if token in ("T", " ") and between in ("dH", "dh") else re.escape(token)
        elif token.letter == "s" and not glued:
            # Providers often leave out a fraction of zero, or send a fraction that the pattern does not have.
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
    "E": "(?:{})".format("|".join(f"{day[:3]}(?:{day[3:]})?" for day in DAYS)),
    "M": "({})".format("|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)),
}
_ZONE = rf"(Z|{OFFSET}|[A-Z_]+(?:/[A-Z0-9_+-]+)*)"


def _field_expression(field: Field, glued: bool) -> tuple[str, str]:
    """The groups of one field. `glued` means that digits follow directly, so the number of digits must be exact."""
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
    # Java puts a two-digit year near the present day. A codec has no clock, so it takes 1970 to 2069.
    year = int(text)
    return year if len(text) > 2 else year + (2000 if year < 70 else 1900)


def _month(text: str) -> int:
    return _MONTH_NUMBERS.get(text[:3].lower()) or int(text)


def _hour(found: dict[str, str]) -> int:
    if "h" not in found:
        return int(found.get("H", "0"))
    hour = int(found["h"])
    if not 1 <= hour <= 12:
        raise ValueError("the hour must be between 1 and 12")
    return hour % 12 + (12 if found.get("a", "a").lower() == "p" else 0)


_ISO = re.compile(r"y(?:y{2,3})?-MM-dd(?:'T'|' '| )HH:mm:ss(?:\.S+)?(?P<tail>'Z'?|X{1,3}|Z)?'?")


def iso_reader(pattern: str, zone: tzinfo, careful: Reader) -> Callable[[object], datetime]:
    """A faster reader for ISO patterns. `datetime.fromisoformat` is ten times as fast as a regular expression.

    A value that it cannot read goes to `careful`.
    """
    match = _ISO.fullmatch(pattern)
    if match is None:
        return careful
    if match["tail"] in ("X", "XX", "XXX", "Z"):
        return _offset_reader(careful)
    suffix = "Z" if match["tail"] else ""
    return _utc_reader(suffix, careful) if zone is UTC else _local_reader(suffix, zone, careful)


def _utc_reader(suffix: str, careful: Reader) -> Callable[[object], datetime]:
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


def _local_reader(suffix: str, zone: tzinfo, careful: Reader) -> Callable[[object], datetime]:
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


def _offset_reader(careful: Reader) -> Callable[[object], datetime]:
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


def read_milliseconds(value: object) -> datetime:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a number of milliseconds since 1970")
    return EPOCH + timedelta(milliseconds=value)
