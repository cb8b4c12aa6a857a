"""The operators of a condition: each has a maker that turns the operand into a question about a record.

A maker returns None if the value makes no sense; the condition is invalid then.
"""

import operator
from collections.abc import Callable
from typing import Any

from .dateoperators import date_part, distance, relative
from .operand import Maker, Operand, Predicate, Test, comparable, fold, number
from .schema import NUMBERS
from .store import Record, Store

ME = "90d1921e5f510100a9ad2572f2b477fe"
"""The id of the standard dynamic filter for the current user."""


def _comparison(test: Test) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        keyed = comparable(operand, operand.value)
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
    # Unlike the other comparisons, this one matches an empty field as well.
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
    """A comparison of text; a reference is compared by its display value."""

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
    lower, upper = comparable(operand, low), comparable(operand, high)
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
    "RELATIVEGT": relative(operator.gt),
    "RELATIVEGE": relative(operator.ge),
    "RELATIVELT": relative(operator.lt),
    "RELATIVELE": relative(operator.le),
    "RELATIVEEE": relative(operator.eq),
    "MORETHAN": distance(operator.gt),
    "LESSTHAN": distance(operator.lt),
    "DATEPART": date_part,
    "DYNAMIC": _dynamic,
    "INSTANCEOF": _instance_of,
    "IN_HIERARCHY": _in_hierarchy,
    # A rule sees only one version of a record, so it cannot see that a value has changed.
    "VALCHANGES": _anything,
    "CHANGESFROM": _anything,
    "CHANGESTO": _equals,
}

EQUALITY = frozenset(
    {"=", "!=", "IN", "NOT IN", "ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING", "SAMEAS", "NSAMEAS"}
)
"""The operators that the right `query_match` allows; all others, and sorting, need `query_range`."""
