"""Takes a date pattern apart, checks its letters, and repairs common mistakes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING

from .errors import DatePatternError
from .timezones import FIXED_IN_JAVA

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFSET_LETTERS = frozenset("zZX")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_LETTERS = "yMdHhmsSEazZX"
_SIZE_LIMIT = 200
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
_HOUR = timedelta(hours=1)
_UNITS = {
    "y": timedelta(days=366),
    "M": timedelta(days=31),
    "d": timedelta(days=1),
    "H": _HOUR,
    "h": _HOUR,
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A run of one letter, such as `yyyy`. Each bracket of an optional section is a field of its own."""

    letter: str
    count: int
    position: int


Token = Field | str  # a str is literal text


def tokenize(pattern: str) -> list[Token]:
    if len(pattern) > _SIZE_LIMIT:
        raise _mistake("the pattern is too long", pattern, _SIZE_LIMIT, f"at most {_SIZE_LIMIT} characters")
    tokens = list(_tokens(pattern))
    fields = [token for token in tokens if isinstance(token, Field)]
    for field in fields:
        _check_letter(pattern, field)
    _check_brackets(pattern, fields)
    if not any(field.letter in "yMdHhmsSYD" for field in fields):
        raise _mistake("the pattern has no letter for any part of a date", pattern, 0, "write e.g. yyyy-MM-dd HH:mm:ss")
    return tokens


def _tokens(pattern: str) -> Iterator[Token]:
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            yield from _unclosed(pattern, position)
            return
        yield _token(match)
        position = match.end()


def _token(match: re.Match[str]) -> Token:
    if match["quote"]:
        return "'"
    if match["text"]:
        return match["text"].replace("''", "'")
    run = match["field"] or match["mark"]
    return Field(run[0], len(run), match.start()) if run else match[0]


def _unclosed(pattern: str, position: int) -> Iterator[str]:
    # Published examples end in a stray quote, or lack the closing quote of 'Z'; both are accepted. A longer rest may
    # mean that a quote is missing in the middle, and then the letters behind it would silently become text.
    rest = pattern[position + 1 :]
    if rest not in ("", "Z"):
        raise _mistake(
            "this quote is never closed",
            pattern,
            position,
            "quote text as in 'T'; write '' for a quote itself",
        )
    if rest:
        yield rest


def _check_letter(pattern: str, field: Field) -> None:
    if field.letter not in _LETTERS + "YD[]":
        hint = _HINTS.get(field.letter, f"use the letters {' '.join(_LETTERS)}, and put text in quotes")
        raise _mistake(f"the letter {field.letter} has no meaning in a date pattern", pattern, field.position, hint)
    if (field.letter == "X" and field.count > 3) or (field.letter == "M" and field.count > 4):
        longest = "XXX" if field.letter == "X" else "MMMM"
        run = field.letter * field.count
        raise _mistake(f"{run} is too long", pattern, field.position, f"write at most {longest}")


def _check_brackets(pattern: str, fields: list[Field]) -> None:
    opened: list[Field] = []
    for field in fields:
        if field.letter == "[":
            opened.append(field)
        elif field.letter == "]":
            if not opened:
                raise _mistake("this ] has no matching [", pattern, field.position, "quote it as ']' if it is text")
            opened.pop()
    if opened:
        raise _mistake("this [ is never closed", pattern, opened[-1].position, "quote it as '[' if it is text")


def _mistake(message: str, pattern: str, position: int, hint: str) -> DatePatternError:
    return DatePatternError(message, text=pattern, position=position, hint=hint)


def finest_unit(tokens: list[Token]) -> timedelta:
    return min(_unit(token) for token in tokens if isinstance(token, Field) and token.letter in "yMdHhmsS")


def _unit(field: Field) -> timedelta:
    if field.letter == "S":
        return max(timedelta(seconds=10.0**-field.count), timedelta(microseconds=1))
    return _UNITS[field.letter]


def repair(pattern: str) -> tuple[str, list[str]]:
    """The pattern that was meant, which has the same length, and one warning for each change."""
    letters = list(pattern)
    notes = []
    for field, letter, why in _changes([token for token in tokenize(pattern) if isinstance(token, Field)]):
        letters[field.position : field.position + field.count] = letter * field.count
        notes.append(f"{field.letter * field.count} is {why}; it is read as {letter * field.count}")
    meant = "".join(letters)
    return meant, [f"{note}. Write {meant}" for note in notes]


def _changes(fields: list[Field]) -> Iterator[tuple[Field, str, str]]:
    letters = [field.letter for field in fields]
    around = list(zip(["", *letters], [*letters[1:], ""], strict=False))
    has_month = any(
        field.letter == "M" and not _among_times(field, near) for field, near in zip(fields, around, strict=True)
    )
    for field, near in zip(fields, around, strict=True):
        if field.letter == "Y":
            yield field, "y", "the year of the week, which differs from the calendar year around New Year"
        elif field.letter == "D":
            yield field, "d", "the day of the year"
        elif field.letter == "h" and "a" not in letters:
            yield field, "H", "an hour from 1 to 12, but the pattern has no a for AM and PM"
        elif field.letter == "M" and _among_times(field, near):
            yield field, "m", "the month"
        elif field.letter == "m" and not has_month and _among_dates(near):
            yield field, "M", "the minute"


def _among_times(field: Field, near: tuple[str, str]) -> bool:
    return field.count <= 2 and (near[0] in ("H", "h") or near[1] == "s")


def _among_dates(near: tuple[str, str]) -> bool:
    return not set(near) & set("Hhs") and bool(set(near) & set("yYdD"))


_PARTS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second", "S": "fraction"}


def doubts(tokens: list[Token], zone: tzinfo, asked: str | tzinfo | None) -> Iterator[str]:
    """Warnings about a pattern that compiles. `asked` is the time zone as the user wrote it."""
    found = {token.letter.replace("h", "H") for token in tokens if isinstance(token, Field)}
    names = list(_PARTS)
    finest = max(names.index(letter) for letter in names if letter in found)
    missing = [_PARTS[letter] for letter in names[:finest] if letter not in found]
    if missing:
        yield f"it has no {' and no '.join(missing)}, so different moments look alike. Write yyyy-MM-dd HH:mm:ss"
    if zone is not UTC and not found & OFFSET_LETTERS and "Z" in tokens:
        yield f"'Z' is only text, so values are local time of {asked}. Write X if they are UTC, or leave the zone empty"
    if isinstance(asked, str) and (offset := FIXED_IN_JAVA.get(asked.strip().upper())):
        yield f"the time zone {asked} follows summer time. Write {zone}, or {offset} if it does not"
