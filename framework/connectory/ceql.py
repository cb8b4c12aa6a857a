"""CEQL, the language of `where`: `status = 'open' and (priority < 3 or assignee is null)`.

`parse` gives a tree of frozen nodes and `to_text` writes it back. `to_cnf` gives a form without parentheses, for
providers that do not have them. The grammar is in `ceql.lark`, and the nodes are in `ceqltree.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from .ceqltree import (
    And,
    Atom,
    Comparison,
    Expression,
    In,
    IsNull,
    Like,
    Literal,
    Or,
    Value,
    bare_value,
    conjuncts,
    fields,
    matches,
    to_cnf,
    to_text,
    walk,
)
from .errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import lark

__all__ = [
    "And",
    "Atom",
    "Comparison",
    "Expression",
    "In",
    "IsNull",
    "Like",
    "Literal",
    "Or",
    "Value",
    "conjuncts",
    "fields",
    "matches",
    "parse",
    "to_cnf",
    "to_text",
    "walk",
]

_SIZE_LIMIT = 16 * 1024
_DEPTH_LIMIT = 32


def parse(text: str) -> Expression | None:
    """The tree of a `where`, or None if it is blank. A `QueryError` points at the first character that does not fit.

    Inside quotes `''` and `\\'` are a quote and `\\\\` is a backslash. `field = null` is read as `field IS NULL`.

    >>> tree = parse("status = 'open' and priority < 3")
    >>> [(term.field, term.operator, term.value.value) for term in conjuncts(tree)]
    [('status', '=', 'open'), ('priority', '<', 3)]
    >>> to_text(tree)
    "status = 'open' AND priority < 3"
    >>> parse("  ") is None
    True
    """
    return _parse(text)


@lru_cache(maxsize=128)
def _parse(text: str) -> Expression | None:
    if not text.strip():
        return None
    if len(text) > _SIZE_LIMIT:
        raise QueryError(f"the query is longer than {_SIZE_LIMIT} characters", text=text, position=_SIZE_LIMIT)
    _check_depth(text)
    try:
        return _read(text)
    except _NotAValueError as error:
        raise _unexpected(text, error.position, {"BARE"}) from None
    except _MistakeError as error:
        raise QueryError(str(error), text=text, position=error.position, hint=error.hint) from None


def _read(text: str) -> Expression:
    import lark

    try:
        return cast("Expression", _parser().parse(text))
    except lark.exceptions.UnexpectedToken as error:
        _check_last_value(error.token_history)
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        raise _unexpected(text, position, set(error.expected)) from None
    except lark.exceptions.UnexpectedCharacters as error:
        _check_last_value(error.token_history)
        raise _unexpected(text, cast("int", error.pos_in_stream), set(error.allowed)) from None


def _check_last_value(history: Sequence[lark.Token | None] | None) -> None:
    # In `status = in progress` the mistake is the unquoted "in", not "progress".
    last = history[-1] if history else None
    if last is not None and last.type == "BARE":
        _bare(last)


@lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    import lark

    grammar = resources.files(__package__).joinpath("ceql.lark").read_text(encoding="utf-8")
    builder: Any = _Builder()
    return lark.Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=False, transformer=builder)


class _MistakeError(Exception):
    def __init__(self, message: str, position: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.hint = hint


class _NotAValueError(Exception):
    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


class _Builder:
    """Builds the tree: one method for each rule of the grammar, which lark calls with the parts of the rule."""

    def either(self, terms: list[Expression]) -> Or:
        return Or(tuple(terms))

    def both(self, terms: list[Expression]) -> And:
        return And(tuple(terms))

    def grouped(self, parts: list[Expression]) -> Expression:
        return parts[0]

    def comparison(self, parts: list[Any]) -> Comparison | IsNull:
        name, operator, value = parts
        sign = "!=" if operator == "<>" else str(operator)
        if value is not None:
            return Comparison(name.text, sign, value, name.position)
        if sign not in ("=", "!="):
            raise _MistakeError(
                f"NULL cannot be compared with {sign}", operator.start_pos, "write IS NULL or IS NOT NULL"
            )
        return IsNull(name.text, sign == "!=", name.position)

    def membership(self, parts: list[Any]) -> In:
        name, negated, values = _negatable(parts)
        if None in values:
            raise _MistakeError("NULL cannot be in a list", name.position, f"add: OR {name.text} IS NULL")
        return In(name.text, tuple(values), negated, name.position)

    def likeness(self, parts: list[Any]) -> Like:
        name, negated, values = _negatable(parts)
        return Like(name.text, values[0], negated, name.position)

    def nullness(self, parts: list[Any]) -> IsNull:
        return IsNull(parts[0].text, len(parts) == 4, parts[0].position)

    def field(self, parts: list[lark.Token]) -> _Name:
        token = parts[0]
        position = token.start_pos or 0
        text = _unquoted(token) if token.type == "TEXT" else token.strip("`")
        if not text.strip():
            raise _MistakeError("the field name is empty", position)
        return _Name(str(text), position)

    def text(self, parts: list[lark.Token]) -> str:
        return _unquoted(parts[0])

    def value(self, parts: list[Any]) -> Literal | None:
        return _bare(parts[0]) if hasattr(parts[0], "type") else Literal(parts[0])


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    position: int


def _negatable(parts: list[Any]) -> tuple[_Name, bool, list[Any]]:
    """The parts of `field [NOT] KEYWORD value...`."""
    negated = parts[1].type == "NOT"
    return parts[0], negated, parts[3 if negated else 2 :]


_ESCAPE = re.compile(r"''|\\(['\"\\\u2018\u2019\u201c\u201d])")


def _unquoted(token: lark.Token) -> str:
    # In 'C:\' at the end of a text the last quote was meant to close the text.
    closed = token.type == "TEXT" or (len(token) > 2 and token.endswith("\\'"))
    inner = token[1:-1] if closed else token[1:].rstrip()
    return _ESCAPE.sub(lambda match: match[1] or "'", inner)


def _bare(token: lark.Token) -> Literal | None:
    if token.lower() == "null":
        return None
    value = bare_value(str(token))
    if value is None:
        raise _NotAValueError(token.start_pos or 0)
    return Literal(value, quoted=False)


# --- mistakes in words ------------------------------------------------------------------------------------------

_BRACKET = re.compile(r"'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|`[^`]*`|[()]", re.DOTALL)
_LAST_WORD = re.compile(r"([<>=!]+|[(),]|[^\s<>=!(),]+)\s*\Z")
_NEXT_WORD = re.compile(r"[\w.:+-]{1,40}|.", re.DOTALL)
_LIST = re.compile(r"\bin\s*\Z", re.IGNORECASE)


def _check_depth(text: str) -> None:
    if text.count("(") > _DEPTH_LIMIT:
        _open_brackets(text)


def _open_brackets(text: str) -> list[int]:
    opened: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] == "(":
            opened.append(match.start())
            if len(opened) > _DEPTH_LIMIT:
                message = f"parentheses are nested more than {_DEPTH_LIMIT} levels deep"
                raise QueryError(message, text=text, position=match.start())
        elif match[0] == ")" and opened:
            opened.pop()
    return opened


def _unexpected(text: str, position: int, allowed: set[str]) -> QueryError:
    opened = _open_brackets(text[:position])
    complete = bool(allowed & {"_AND", "_OR", "RPAR", "COMMA", "$END"})
    found = _NEXT_WORD.match(text, position)
    if complete and found and found[0] == ")" and not opened:
        return QueryError("unbalanced parenthesis: this ) has no matching (", text=text, position=position)
    if complete and not found and opened:
        return QueryError("unbalanced parenthesis: this ( is never closed", text=text, position=opened[-1])
    last = _LAST_WORD.search(text, max(0, position - 200), position)
    before = last[1][-40:] if last else ""
    place = f"after {before}" if before else "at the start"
    message = f"expected {_expected(text, allowed, opened)} {place}, found {found[0] if found else 'the end'}"
    return QueryError(message, text=text, position=position, hint=_hint(allowed, before, found[0] if found else ""))


def _expected(text: str, allowed: set[str], opened: list[int]) -> str:
    if "NAME" in allowed:
        return "a field name"
    if "BARE" in allowed:
        return "a value"
    if "OPERATOR" in allowed:
        return "an operator such as = or IN"
    if allowed & {"_AND", "_OR", "COMMA", "$END"}:
        if not opened:
            return "AND or OR"
        return "a comma or )" if _LIST.search(text[: opened[-1]]) else "AND, OR or )"
    if "IN" in allowed:
        return "IN or LIKE"
    if "NULL" in allowed:
        return "NULL"
    return "(" if "LPAR" in allowed else "text in quotes"


def _hint(allowed: set[str], before: str, found: str) -> str | None:
    if "BARE" in allowed and found[:1].isalpha() and found.lower() not in ("and", "or"):
        return f"put text in quotes: '{found}'"
    if "OPERATOR" not in allowed:
        return None
    if before.lower() == "not":
        return "NOT may only come before IN, LIKE and NULL: status NOT IN ('closed')"
    return "put a field name with spaces or signs between backticks"
