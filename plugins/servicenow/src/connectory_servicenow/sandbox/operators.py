"""What each operator of a condition asks of a record.

A maker gets the operand (a field, how to read it, the value) and returns the question, or None when the value
makes no sense, in which case the condition counts as invalid.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .literals import Literals
from .paths import Path, display_reader, find_path, reader
from .schema import DATES, NUMBERS, Column
from .stamps import from_stamp, to_stamp
from .store import Record, Store

Predicate = Callable[[Record], bool]
Maker = Callable[["Operand"], Predicate | None]
Test = Callable[[Any, Any], bool]

ME = "90d1921e5f510100a9ad2572f2b477fe"
"""The id of the stock dynamic filter that stands for whoever asks."""

_BOOLEANS = {"1": "true", "0": "false", "yes": "true", "no": "false"}
_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "dayofweek": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
}
_DATE_PART = re.compile(r"""gs\.datePart\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]""")
_PART_FORMATS = {"dayofweek": "%A", "month": "%B", "year": "%Y", "hour": "%H"}


@dataclass(frozen=True, slots=True)
class Operand:
    store: Store
    literals: Literals
    table: str
    path: Path
    value: str

    @property
    def column(self) -> Column:
        return self.path.column

    @property
    def read(self) -> Callable[[Record], str]:
        return reader(self.store, self.path)

    @property
    def shown(self) -> Callable[[Record], str]:
        return display_reader(self.store, self.path)

    def other(self, name: str) -> Callable[[Record], str] | None:
        path = find_path(self.store, self.table, name)
        return reader(self.store, path) if path else None


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def fold(column: Column, text: str) -> str:
    text = text.casefold()
    return _BOOLEANS.get(text, text) if column.kind == "boolean" else text


def _key(operand: Operand, text: str) -> tuple[Callable[[str], Any], Any] | None:
    """How stored values are turned for a comparison with a literal, and the literal turned alike."""
    kind = operand.column.kind
    if kind in DATES:
        return _date_key(operand, text)
    wanted = operand.literals.text(text)
    if wanted is None:
        return None
    if (kind in NUMBERS or kind == "choice") and (amount := number(wanted)) is not None:
        return number, amount
    return (lambda stored: fold(operand.column, stored)), fold(operand.column, wanted)


def _date_key(operand: Operand, text: str) -> tuple[Callable[[str], Any], Any] | None:
    moment = operand.literals.moment(text)
    if moment is None:
        return None
    if operand.column.kind == "date":
        return str, moment[:10]
    return str, moment


def _comparison(test: Test) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        keyed = _key(operand, operand.value)
        if keyed is None:
            return None
        key, wanted = keyed
        read = operand.read

        def compare(record: Record) -> bool:
            text = read(record)
            return text != "" and (have := key(text)) is not None and test(have, wanted)

        return compare

    return make


def _equals(operand: Operand) -> Predicate | None:
    return _is_empty(operand) if operand.value in {"", "NULL"} else _comparison(operator.eq)(operand)


def _differs(operand: Operand) -> Predicate | None:
    # Unlike the other comparisons, this one holds for an empty field as well.
    return _negate(_equals(operand))


def _negate(predicate: Predicate | None) -> Predicate | None:
    return (lambda record: not predicate(record)) if predicate else None


def _is_empty(operand: Operand) -> Predicate:
    read = operand.read
    return lambda record: read(record) == ""


def _is_not_empty(operand: Operand) -> Predicate:
    read = operand.read
    return lambda record: read(record) != ""


def _anything(_: Operand) -> Predicate:
    return lambda record: True


def _text(test: Callable[[str, str], bool]) -> Maker:
    """A question about text; a reference is asked by what it is called."""

    def make(operand: Operand) -> Predicate | None:
        wanted = operand.literals.text(operand.value)
        if wanted is None:
            return None
        needle, shown = wanted.casefold(), operand.shown

        def ask(record: Record) -> bool:
            text = shown(record)
            return text != "" and test(text.casefold(), needle)

        return ask

    return make


def _lacks(text: str, needle: str) -> bool:
    return needle not in text


def _in(wanted: bool) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        listed = operand.literals.text(operand.value)
        if listed is None:
            return None
        values = {fold(operand.column, value) for value in listed.split(",")}
        read, column = operand.read, operand.column
        return lambda record: (text := read(record)) != "" and (fold(column, text) in values) is wanted

    return make


def _between(operand: Operand) -> Predicate | None:
    low, at, high = operand.value.partition("@")
    return _range(operand, low, high) if at else None


def _on(operand: Operand) -> Predicate | None:
    _, *edges = operand.value.split("@")
    return _range(operand, *edges) if len(edges) == 2 else None


def _not_on(operand: Operand) -> Predicate | None:
    return _negate(_on(operand))


def _range(operand: Operand, low: str, high: str) -> Predicate | None:
    lower, upper = _key(operand, low), _key(operand, high)
    if lower is None or upper is None:
        return None
    read, key, first, last = operand.read, lower[0], lower[1], upper[1]
    if type(first) is not type(last):
        return None

    def within(record: Record) -> bool:
        text = read(record)
        return text != "" and (have := key(text)) is not None and bool(first <= have <= last)

    return within


def _fields(test: Test, wanted: bool = True) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        name, _, _ = operand.value.partition("@")
        other = operand.other(name)
        if other is None:
            return None
        read, numeric = operand.read, operand.column.kind in NUMBERS
        turn: Callable[[str], Any] = (lambda text: number(text) or 0.0) if numeric else str.casefold
        return lambda record: test(turn(read(record)), turn(other(record))) is wanted

    return make


def _relative(test: Test) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        moment = _relative_moment(operand)
        read = operand.read
        return (lambda record: (text := read(record)) != "" and test(text, moment)) if moment else None

    return make


def _relative_moment(operand: Operand) -> str | None:
    unit, direction, amount = [*operand.value.strip("@").split("@"), "", "", ""][:3]
    if unit not in _UNITS or not amount.isdigit():
        return None
    distance = _UNITS[unit] * int(amount)
    now = operand.literals.asker.now
    return to_stamp(now + distance if direction in {"ahead", "after"} else now - distance)


def _distance(test: Test) -> Maker:
    """Two dates of one record that lie more, or less, than a span apart."""

    def make(operand: Operand) -> Predicate | None:
        name, unit, direction, amount = [*operand.value.split("@"), "", "", ""][:4]
        other = operand.other(name)
        if other is None or unit not in _UNITS or not amount.isdigit():
            return None
        read, span, sign = operand.read, _UNITS[unit] * int(amount), -1 if direction == "before" else 1

        def apart(record: Record) -> bool:
            this, that = read(record), other(record)
            if not this or not that:
                return False
            distance = sign * (from_stamp(this) - from_stamp(that))
            return distance >= timedelta() and test(distance, span)

        return apart

    return make


def _date_part(operand: Operand) -> Predicate | None:
    found = _DATE_PART.search(operand.value)
    if not found or found[1] not in _PART_FORMATS:
        return None
    layout, wanted, read = _PART_FORMATS[found[1]], found[2].casefold(), operand.read
    zone = operand.literals.asker.zone

    def part(record: Record) -> bool:
        text = read(record)
        return text != "" and _moment(text).astimezone(zone).strftime(layout).casefold() == wanted

    return part


def _moment(text: str) -> datetime:
    return from_stamp(text if len(text) > 10 else f"{text} 00:00:00")


def _dynamic(operand: Operand) -> Predicate | None:
    if operand.value != ME:
        return None
    read, me = operand.read, operand.literals.asker.user_id
    return lambda record: read(record) == me


def _instance_of(operand: Operand) -> Predicate | None:
    if operand.value not in operand.store.schema:
        return None
    family = operand.store.schema.family(operand.value)
    return lambda record: record.table in family


def _in_hierarchy(operand: Operand) -> Predicate | None:
    target = operand.column.target
    if target not in operand.store.schema:
        return None
    read, top = operand.read, operand.value
    return lambda record: top in _ancestry(operand.store, target, read(record))


def _ancestry(store: Store, table: str, sys_id: str) -> list[str]:
    found: list[str] = []
    while sys_id and sys_id not in found:
        found.append(sys_id)
        record = store.find(table, sys_id)
        sys_id = record["parent"] if record else ""
    return found


MAKERS: dict[str, Maker] = {
    "=": _equals,
    "!=": _differs,
    ">": _comparison(operator.gt),
    ">=": _comparison(operator.ge),
    "<": _comparison(operator.lt),
    "<=": _comparison(operator.le),
    "LIKE": _text(operator.contains),
    "NOT LIKE": _text(_lacks),
    "STARTSWITH": _text(str.startswith),
    "ENDSWITH": _text(str.endswith),
    "IN": _in(wanted=True),
    "NOT IN": _in(wanted=False),
    "ISEMPTY": _is_empty,
    "EMPTYSTRING": _is_empty,
    "ISNOTEMPTY": _is_not_empty,
    "ANYTHING": _anything,
    "BETWEEN": _between,
    "SAMEAS": _fields(operator.eq),
    "NSAMEAS": _fields(operator.ne),
    "GT_FIELD": _fields(operator.gt),
    "LT_FIELD": _fields(operator.lt),
    "GT_OR_EQUALS_FIELD": _fields(operator.ge),
    "LT_OR_EQUALS_FIELD": _fields(operator.le),
    "ON": _on,
    "NOTON": _not_on,
    "RELATIVEGT": _relative(operator.gt),
    "RELATIVEGE": _relative(operator.ge),
    "RELATIVELT": _relative(operator.lt),
    "RELATIVELE": _relative(operator.le),
    "RELATIVEEE": _relative(operator.eq),
    "MORETHAN": _distance(operator.gt),
    "LESSTHAN": _distance(operator.lt),
    "DATEPART": _date_part,
    "DYNAMIC": _dynamic,
    "INSTANCEOF": _instance_of,
    "IN_HIERARCHY": _in_hierarchy,
    # A rule looks at one version of a record, so a change of value cannot be told from the value.
    "VALCHANGES": _anything,
    "CHANGESFROM": _anything,
    "CHANGESTO": _equals,
}

EQUALITY = frozenset(
    {"=", "!=", "IN", "NOT IN", "ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING", "SAMEAS", "NSAMEAS"}
)
"""What the right `query_match` allows; everything else, and sorting, needs `query_range`."""
