"""CEQL as conditions of an encoded query.

An encoded query is an AND of OR-groups without parentheses, that is a conjunctive normal form. Values cannot be escaped
in it, so a value that ServiceNow would read as something else is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from connectory.ceql import Comparison, In, IsNull, Like, Literal, conjuncts, to_cnf, to_text, walk
from connectory.errors import QueryError

from .users import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectory.ceql import Atom, Expression

# Column names are lower case, because capitals are operators: `aLIKEb=c` would be read as `a LIKE 'b=c'`.
COLUMN = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")

_RANGES = frozenset({"<", "<=", ">", ">="})
_UNSAFE = re.compile(r"[\x00-\x1f\x7f^]")
_SCRIPT = re.compile(r"\s*javascript:", re.IGNORECASE)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
# The beginnings of values that would form another operator together with the one before them.
_LONGER_OPERATORS = {"<": ("=",), ">": ("=",), "IN": ("STANCEOF", "_HIERARCHY")}
# Stamps are whole seconds, so `>= 10:00:00.5` is the same as `> 10:00:00`.
_WITHOUT_FRACTION = {">=": ">", "<": "<="}


class _RefusedError(Exception):
    def __init__(self, message: str, atom: Atom, hint: str | None = None) -> None:
        super().__init__(message)
        self.atom = atom
        self.hint = hint


def conditions(expression: Expression | None) -> list[str]:
    """One text for each OR-group; all of them must hold."""
    if expression is None:
        return []
    try:
        return ["^OR".join(_alternatives(group)) for group in to_cnf(expression)]
    except _RefusedError as refused:
        text = to_text(expression)
        position = max(0, text.find(to_text(refused.atom)))
        raise QueryError(str(refused), text=text, position=position, hint=refused.hint) from None


def equality(name: str, value: str) -> str:
    """The condition for one `name=value` pair."""
    return "^OR".join(conditions(Comparison(name, "=", Literal(value))))


def dated_columns(expression: Expression | None) -> set[str]:
    """The columns that are compared with a moment by < <= > or >=."""
    return {column_name(node.field) for node in walk(expression) if _is_dated(node, _RANGES)}


def columns_since(expression: Expression | None) -> set[str]:
    """The columns that are later than some moment in every record that matches."""
    return {column_name(term.field) for term in conjuncts(expression) if _is_dated(term, {">", ">="})}


def _is_dated(node: Expression, operators: Collection[str]) -> TypeGuard[Comparison]:
    if not isinstance(node, Comparison):
        return False
    return node.operator in operators and _MOMENT.fullmatch(str(node.value)) is not None


def column_name(field: str) -> str:
    """`id` is the name in Cloud Elements for the id of every record."""
    return "sys_id" if field == "id" else field


def stamp(moment: datetime) -> str:
    """A moment in ServiceNow's format: UTC, without fractions of a second."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat(" ")


def _alternatives(group: list[Atom]) -> list[str]:
    return list(dict.fromkeys(condition for atom in group for condition in _encoded(atom)))


def _encoded(atom: Atom) -> list[str]:
    """Conditions of which at least one must hold."""
    column = _column(atom)
    if isinstance(atom, IsNull):
        return [f"{column}ISNOTEMPTY" if atom.negated else f"{column}ISEMPTY"]
    if isinstance(atom, Like):
        return _like(column, atom)
    if isinstance(atom, In):
        return _membership(column, atom)
    return _comparison(column, atom)


def _column(atom: Atom) -> str:
    name = column_name(atom.field)
    if not COLUMN.fullmatch(name):
        raise _RefusedError(
            f"{atom.field!r} is not a valid name of a ServiceNow column", atom, "write a name such as caller_id.email"
        )
    if name.rpartition(".")[2] == PASSWORD:
        raise _RefusedError(f"{PASSWORD} must not be used in a condition", atom)
    return name


def _comparison(column: str, atom: Comparison) -> list[str]:
    if atom.operator in ("=", "!="):
        return _equality(column, _value(atom.value, atom).text, atom, negated=atom.operator == "!=")
    value = _value(atom.value, atom)
    if not value.text:
        raise _RefusedError(f"{atom.operator} cannot be used with an empty text", atom, "write IS NULL or IS NOT NULL")
    operator = _WITHOUT_FRACTION.get(atom.operator, atom.operator) if value.has_fraction else atom.operator
    return [_joined(column, operator, value.text, atom)]


def _equality(column: str, text: str, atom: Atom, *, negated: bool) -> list[str]:
    if text == "":
        return [f"{column}ISNOTEMPTY" if negated else f"{column}ISEMPTY"]
    if text == "NULL":
        raise _RefusedError("ServiceNow reads the text NULL as no value", atom, "write IS NULL or IS NOT NULL")
    return _negation(column, "!=", text) if negated else [f"{column}={text}"]


def _negation(column: str, operator: str, text: str) -> list[str]:
    # Most operators of ServiceNow skip empty values. In CEQL, NOT matches them as well, so they are added.
    return [f"{column}{operator}{text}", f"{column}ISEMPTY"]


def _membership(column: str, atom: In) -> list[str]:
    texts = [_value(literal, atom).text for literal in atom.values]
    for text in texts:
        if "," in text:
            hint = f"write {atom.field} = '...' OR {atom.field} = '...'"
            raise _RefusedError("a value of a list cannot contain a comma in ServiceNow", atom, hint)
        if not text:
            raise _RefusedError("an empty text cannot be in a list", atom, f"write {atom.field} IS NULL")
    listed = ",".join(dict.fromkeys(texts))
    return _negation(column, "NOT IN", listed) if atom.negated else [_joined(column, "IN", listed, atom)]


def _like(column: str, atom: Like) -> list[str]:
    text = _safe(atom.pattern.strip("%"), atom)
    starts, ends = not atom.pattern.startswith("%"), not atom.pattern.endswith("%")
    if not text and not starts:
        return [f"{column}ISEMPTY" if atom.negated else f"{column}ISNOTEMPTY"]
    if "%" in text:
        raise _RefusedError(
            "ServiceNow does not support a % in the middle of a text, only at its start or end",
            atom,
            f"join two conditions: {atom.field} LIKE 'a%' AND {atom.field} LIKE '%b'",
        )
    if starts and ends:
        return _equality(column, text, atom, negated=atom.negated)
    if not atom.negated:
        return [f"{column}{'STARTSWITH' if starts else 'ENDSWITH' if ends else 'LIKE'}{text}"]
    if starts or ends:
        raise _RefusedError("ServiceNow has no NOT LIKE for a start or an end", atom, "write NOT LIKE '%text%'")
    return _negation(column, "NOT LIKE", text)


def _joined(column: str, operator: str, text: str, atom: Atom) -> str:
    if text.startswith(_LONGER_OPERATORS.get(operator, ())):
        raise _RefusedError(f"ServiceNow would read {operator}{text[:20]} as another operator", atom)
    return f"{column}{operator}{text}"


class _Value(NamedTuple):
    text: str
    has_fraction: bool = False


def _value(literal: Literal, atom: Atom) -> _Value:
    text = _safe(str(literal), atom)
    match = _MOMENT.fullmatch(text)
    return _Value(*_utc(match, atom)) if match else _Value(text)


def _utc(match: re.Match[str], atom: Atom) -> tuple[str, bool]:
    """A moment in ServiceNow's format, and whether a fraction of a second was cut off."""
    date, time, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}{offset or 'Z'}")
        return stamp(moment), bool(fraction and fraction.strip("0"))
    except (ValueError, OverflowError):
        # ServiceNow would ignore a condition that it cannot read, and return too many records.
        raise _RefusedError(f"there is no such date: {match[0]}", atom) from None


def _safe(text: str, atom: Atom) -> str:
    if found := _UNSAFE.search(text):
        raise _RefusedError(f"ServiceNow cannot search for a text with {found[0]!r}", atom)
    if _SCRIPT.match(text):
        raise _RefusedError("a text that begins with javascript: would be run as a script", atom)
    return text
