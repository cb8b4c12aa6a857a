"""The nodes of a CEQL expression, their text, and the functions that query translators need."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal
from itertools import product
from math import isfinite, prod
from typing import TYPE_CHECKING, TypeVar

from .errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Value = str | int | float | bool


@dataclasses.dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written. `quoted` is false for numbers, true, false and bare dates.

    `str(literal)` is the plain text for a parameter of a provider: `true`, `3`, `O'Brien`.
    """

    value: Value
    quoted: bool = True

    def __str__(self) -> str:
        return _plain(self.value)


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is one of = != < > <= >=."""

    field: str
    operator: str
    value: Literal
    position: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class In:
    field: str
    values: tuple[Literal, ...]
    negated: bool = False
    position: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Like:
    """In `pattern`, a % matches any text, also an empty one. Every other character matches itself."""

    field: str
    pattern: str
    negated: bool = False
    position: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class IsNull:
    field: str
    negated: bool = False
    position: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class And:
    """Two or more terms. The terms of a nested And are taken over, so no term is an And."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _opened(And, self.terms))


@dataclasses.dataclass(frozen=True, slots=True)
class Or:
    """Two or more terms. The terms of a nested Or are taken over, so no term is an Or."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _opened(Or, self.terms))


Atom = Comparison | In | Like | IsNull
Expression = Atom | And | Or


def _opened(kind: type[And | Or], terms: tuple[Expression, ...]) -> tuple[Expression, ...]:
    if len(terms) < 2:
        raise ValueError(f"{kind.__name__} needs two terms or more")
    if not any(isinstance(term, kind) for term in terms):
        return tuple(terms)
    return tuple(inner for term in terms for inner in (term.terms if isinstance(term, kind) else (term,)))


# --- writing ----------------------------------------------------------------------------------------------------

_PLAIN_NAME = re.compile(r"[^\W\d][\w$-]*(?:\.[\w$-]+)*")


def to_text(expression: Expression) -> str:
    """The text of an expression. `parse` reads it as an equal tree."""
    if isinstance(expression, Or):
        return " OR ".join(to_text(term) for term in expression.terms)
    if isinstance(expression, And):
        return " AND ".join(
            f"({to_text(term)})" if isinstance(term, Or) else to_text(term) for term in expression.terms
        )
    return f"{_name_text(expression.field)} {_condition_text(expression)}"


def _condition_text(atom: Atom) -> str:
    if isinstance(atom, Comparison):
        return f"{atom.operator} {_literal_text(atom.value)}"
    negation = "NOT " if atom.negated else ""
    if isinstance(atom, In):
        return f"{negation}IN ({', '.join(_literal_text(value) for value in atom.values)})"
    if isinstance(atom, Like):
        return f"{negation}LIKE {_quoted(atom.pattern)}"
    return f"IS {negation}NULL"


def _name_text(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        return name
    return _quoted(name) if "`" in name else f"`{name}`"


def _literal_text(literal: Literal) -> str:
    text = _plain(literal.value)
    bare = not literal.quoted and bare_value(text) == literal.value
    return text if bare else _quoted(text)


def _quoted(text: str) -> str:
    return "'{}'".format(text.replace("\\", "\\\\").replace("'", "''"))


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and isfinite(value):
        text = f"{Decimal(repr(value)):f}"
        return text if "." in text else f"{text}.0"
    return str(value)


_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,308})(\.[0-9]{1,400})?")
_TIME = r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_BARE_TEXT = re.compile(rf"-?[0-9]+|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?")
_CONSTANTS = {"true": True, "false": False}


def bare_value(text: str) -> Value | None:
    """The value of a text without quotes; None if the text needs quotes. `007` and dates stay text."""
    if number := _NUMBER.fullmatch(text):
        value = float(text) if number[1] else int(text)
        return value if isfinite(value) else None
    constant = _CONSTANTS.get(text.lower())
    if constant is not None:
        return constant
    return text if _BARE_TEXT.fullmatch(text) else None


# --- for translators --------------------------------------------------------------------------------------------


def walk(expression: Expression | None) -> Iterator[Expression]:
    """Every node of the tree; a node comes before its terms."""
    if expression is None:
        return
    yield expression
    for term in _terms(expression):
        yield from walk(term)


def _terms(expression: Expression) -> tuple[Expression, ...]:
    return expression.terms if isinstance(expression, And | Or) else ()


def fields(expression: Expression | None) -> tuple[str, ...]:
    """The field names without repetitions, in the order of the text."""
    return tuple(dict.fromkeys(node.field for node in walk(expression) if not isinstance(node, And | Or)))


def conjuncts(expression: Expression | None) -> list[Expression]:
    """The terms that must all be true: those of an And, or else the expression itself."""
    if expression is None:
        return []
    return list(expression.terms) if isinstance(expression, And) else [expression]


def to_cnf(expression: Expression | None, limit: int = 200) -> list[list[Atom]]:
    """Groups of atoms, of which at least one in each group must be true (conjunctive normal form).

    An expression that needs more than `limit` groups raises a `QueryError`.
    """
    if expression is None:
        return []
    if not isinstance(expression, And | Or):
        return [[expression]]
    parts = [to_cnf(term, limit) for term in expression.terms]
    sizes = [len(part) for part in parts]
    if (sum(sizes) if isinstance(expression, And) else prod(sizes)) > limit:
        raise QueryError(
            f"the query needs more than {limit} groups of conditions",
            text=to_text(expression),
            position=0,
            hint="use fewer ANDs inside ORs",
        )
    if isinstance(expression, And):
        return [group for part in parts for group in part]
    return [list(dict.fromkeys(atom for group in choice for atom in group)) for choice in product(*parts)]


def matches(expression: Expression | None, get: Callable[[str], object]) -> bool:
    """Whether a record matches. `get` gives the value of a field, or None if the record does not have the field.

    Two values that both look like numbers are compared as numbers; all others are compared as text. NOT and != are true
    exactly when their opposite is false, also for missing values. An empty text counts as NULL.
    """
    if isinstance(expression, And):
        return all(matches(term, get) for term in expression.terms)
    if isinstance(expression, Or):
        return any(matches(term, get) for term in expression.terms)
    return expression is None or _holds(expression, get(expression.field))


def _holds(atom: Atom, value: object) -> bool:
    if isinstance(atom, Comparison):
        return _compare(value, atom.operator, atom.value.value)
    if isinstance(atom, In):
        return any(_compare(value, "=", literal.value) for literal in atom.values) is not atom.negated
    if isinstance(atom, Like):
        return (value is not None and _is_like(_record_text(value), atom.pattern)) is not atom.negated
    return (value is None or value == "") is not atom.negated


def _compare(value: object, operator: str, wanted: Value) -> bool:
    if value is None:
        return operator == "!="
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return _ORDERS[operator](_sign(left, right))
    return _ORDERS[operator](_sign(_record_text(value), _plain(wanted)))


_ORDERS: dict[str, Callable[[int], bool]] = {
    "=": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    ">": lambda sign: sign > 0,
    "<=": lambda sign: sign <= 0,
    ">=": lambda sign: sign >= 0,
}
_Ordered = TypeVar("_Ordered", str, Decimal)


def _sign(left: _Ordered, right: _Ordered) -> int:
    return (left > right) - (left < right)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = _plain(value).strip()
    return Decimal(text) if re.fullmatch(r"[+-]?[0-9]+(?:\.[0-9]+)?", text) else None


def _record_text(value: object) -> str:
    return _plain(value) if isinstance(value, bool | float) else str(value)


def _is_like(text: str, pattern: str) -> bool:
    # Search piece by piece: the time of a regular expression with many .* grows exponentially with their number.
    first, *rest = pattern.casefold().split("%")
    text = text.casefold()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    position = len(first)
    for piece in rest[:-1]:
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= position
