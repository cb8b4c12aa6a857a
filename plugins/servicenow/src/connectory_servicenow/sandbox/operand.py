"""The operand of a condition: a field and the value that it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .literals import Literals
from .paths import Path, display_reader, find_path, reader
from .schema import DATES, NUMBERS, Column
from .store import Record, Store

Predicate = Callable[[Record], bool]
Maker = Callable[["Operand"], Predicate | None]
"""Turns an operand into a question about a record; None if the value makes no sense."""
Test = Callable[[Any, Any], bool]

_BOOLEANS = {"1": "true", "0": "false", "yes": "true", "no": "false"}


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


def comparable(operand: Operand, text: str) -> tuple[Callable[[str], Any], Any] | None:
    """How to convert stored values before they are compared with `text`, and `text` converted in the same way."""
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
