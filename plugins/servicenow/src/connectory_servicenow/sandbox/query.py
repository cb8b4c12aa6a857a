"""Parses encoded queries into a tree, without looking at any data.

`^NQ` separates queries whose results are united; within one, `^` is AND; `^OR` binds to the condition just before it.
So a query is a list of groups, a group a list of alternatives that must all hold, an alternative a list of terms.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_WORDS = """
    GT_OR_EQUALS_FIELD LT_OR_EQUALS_FIELD GT_FIELD LT_FIELD NSAMEAS SAMEAS NOTLIKE NOTON ISNOTEMPTY ISEMPTY
    EMPTYSTRING ANYTHING BETWEEN STARTSWITH ENDSWITH RELATIVEGT RELATIVEGE RELATIVELT RELATIVELE RELATIVEEE DATEPART
    MORETHAN LESSTHAN DYNAMIC INSTANCEOF IN_HIERARCHY VALCHANGES CHANGESFROM CHANGESTO CONTAINS LIKE ON IN
    != !* >= <= = > < * %
"""
OPERATORS = (*_WORDS.split(), "NOT IN", "NOT LIKE")

_FIELD = r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*"
_LONGEST_FIRST = "|".join(re.escape(word) for word in sorted(OPERATORS, key=len, reverse=True))
_CONDITION = re.compile(rf"({_FIELD})({_LONGEST_FIRST})(.*)", re.DOTALL)
_TEXT_SEARCH = re.compile(r"123TEXTQUERY321=(.*)", re.DOTALL)
_JOIN = re.compile(rf"JOIN([a-z0-9_]+)\.({_FIELD})=([a-z0-9_]+)\.({_FIELD})!(.*)", re.DOTALL)
_RELATED = re.compile(rf"RLQUERY([a-z0-9_]+)\.({_FIELD}),(>=|<=|!=|=|>|<)(\d+)(?:,m2m)?")
_SPELLINGS = {"*": "LIKE", "CONTAINS": "LIKE", "!*": "NOT LIKE", "NOTLIKE": "NOT LIKE", "%": "ENDSWITH"}


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class TextSearch:
    words: str


@dataclass(frozen=True, slots=True)
class Join:
    """Matches rows for which another table has a matching row with the same value."""

    table: str
    field: str
    other: str
    other_field: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Related:
    """Matches rows by the number of rows of another table that refer to them."""

    table: str
    field: str
    operator: str
    count: int
    query: "Query"


@dataclass(frozen=True, slots=True)
class Unreadable:
    text: str


Term = Condition | TextSearch | Join | Related | Unreadable
Alternatives = tuple[Term, ...]
Group = tuple[Alternatives, ...]


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    groups: tuple[Group, ...]
    orders: tuple[Order, ...]

    def terms(self) -> Iterator[Term]:
        for group in self.groups:
            for alternatives in group:
                yield from alternatives


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    return _Reader(text).query()


class _Reader:
    def __init__(self, text: str) -> None:
        self._parts = text.split("^")
        self._groups: list[list[list[Term]]] = [[]]
        self._orders: list[Order] = []

    def query(self) -> Query:
        while self._parts:
            self._take(self._parts.pop(0))
        groups = tuple(tuple(tuple(terms) for terms in group) for group in self._groups)
        return Query(groups, tuple(self._orders))

    def _take(self, part: str) -> None:
        # ORDERBY is checked before OR, because it starts with OR.
        if part.startswith("ORDERBY"):
            self._orders.append(_order(part))
        elif part.startswith("NQ"):
            self._groups.append([])
            self._take(part.removeprefix("NQ"))
        elif part.startswith("OR") and self._groups[-1]:
            self._groups[-1][-1].append(self._term(part.removeprefix("OR")))
        elif part and part != "EQ" and not part.startswith("GROUPBY"):
            self._groups[-1].append([self._term(part)])

    def _term(self, part: str) -> Term:
        if found := _JOIN.fullmatch(part):
            table, field, other, other_field, first = found.groups()
            return Join(table, field, other, other_field, self._query_of_join(first))
        if found := _RELATED.fullmatch(part):
            table, field, operator, count = found.groups()
            return Related(table, field, operator, int(count), self._query_of_related())
        return _condition(part)

    def _query_of_join(self, first: str) -> Query:
        # A join has no end mark, so it ends where the outer query clearly continues.
        parts = [first]
        while self._parts and not self._parts[0].startswith(("JOIN", "RLQUERY", "ORDERBY", "NQ", "EQ")):
            parts.append(self._parts.pop(0))
        return parse("^".join(parts))

    def _query_of_related(self) -> Query:
        parts: list[str] = []
        while self._parts and (part := self._parts.pop(0)) != "ENDRLQUERY":
            parts.append(part)
        return parse("^".join(parts))


def _order(part: str) -> Order:
    if part.startswith("ORDERBYDESC"):
        return Order(part.removeprefix("ORDERBYDESC"), descending=True)
    return Order(part.removeprefix("ORDERBY"), descending=False)


def _condition(part: str) -> Term:
    if found := _TEXT_SEARCH.fullmatch(part):
        return TextSearch(found[1])
    if found := _CONDITION.fullmatch(part):
        field, operator, value = found.groups()
        return Condition(field, _SPELLINGS.get(operator, operator), value)
    return Unreadable(part)
