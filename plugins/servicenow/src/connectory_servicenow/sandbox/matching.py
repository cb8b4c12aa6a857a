"""Runs a parsed query over the records of a table: finds those that match, and sorts them."""

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .literals import Literals
from .operand import Operand, Predicate, number
from .operators import EQUALITY, MAKERS
from .paths import Path, display_reader, find_path, reader
from .query import Alternatives, Condition, Group, Join, Order, Query, Related, Term, TextSearch, Unreadable, parse
from .schema import DATES, NUMBERS
from .store import Record, Store

_COUNTS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_SEARCHED = frozenset({"string", "text"})


@dataclass
class Matcher:
    """Compiles queries for one user. Parts that cannot be run are ignored, and named in `invalid`."""

    store: Store
    literals: Literals
    range_refused: frozenset[str] = frozenset()
    invalid: list[str] = field(default_factory=list)

    def compile(self, query: Query | str, table: str) -> Predicate:
        query = parse(query) if isinstance(query, str) else query
        groups = [self._group(group, table) for group in query.groups]
        return groups[0] if len(groups) == 1 else lambda record: any(group(record) for group in groups)

    def _group(self, group: Group, table: str) -> Predicate:
        asked = [found for alternatives in group if (found := self._alternatives(alternatives, table))]
        if len(asked) == 1:
            return asked[0]
        return lambda record: all(ask(record) for ask in asked)

    def _alternatives(self, terms: Alternatives, table: str) -> Predicate | None:
        asked = [found for term in terms if (found := self._term(term, table))]
        if len(asked) < 2:
            return asked[0] if asked else None
        return lambda record: any(ask(record) for ask in asked)

    def _term(self, term: Term, table: str) -> Predicate | None:
        if isinstance(term, Condition) and self._is_refused(term):
            return None
        found = self._ask(term, table)
        if found is None:
            self.invalid.append(str(term))
        return found

    def _is_refused(self, condition: Condition) -> bool:
        return condition.field in self.range_refused and condition.operator not in EQUALITY

    def _ask(self, term: Term, table: str) -> Predicate | None:
        match term:
            case Condition():
                return self._condition(term, table)
            case TextSearch():
                return self._search(term, table)
            case Join():
                return self._join(term, table)
            case Related():
                return self._related(term)
            case Unreadable():
                return None

    def _condition(self, condition: Condition, table: str) -> Predicate | None:
        path = find_path(self.store, table, condition.field)
        if path is None:
            return None
        return MAKERS[condition.operator](Operand(self.store, self.literals, table, path, condition.value))

    def _search(self, search: TextSearch, table: str) -> Predicate:
        names = [column.name for column in self.store.schema.columns(table).values() if column.kind in _SEARCHED]
        words = search.words.casefold().split()

        def contains(record: Record) -> bool:
            text = " ".join(record[name] for name in names).casefold()
            return all(word in text for word in words)

        return contains

    def _join(self, join: Join, table: str) -> Predicate | None:
        if join.table not in self.store.schema.lineage(table) or join.other not in self.store.schema:
            return None
        mine = find_path(self.store, table, join.field)
        theirs = find_path(self.store, join.other, join.other_field)
        if mine is None or theirs is None:
            return None
        matches, read = self.compile(join.query, join.other), reader(self.store, theirs)
        values = {read(record) for record in self.store.rows(join.other) if matches(record)} - {""}
        read_mine = reader(self.store, mine)
        return lambda record: read_mine(record) in values

    def _related(self, related: Related) -> Predicate | None:
        path = find_path(self.store, related.table, related.field) if related.table in self.store.schema else None
        if path is None:
            return None
        matches, read = self.compile(related.query, related.table), reader(self.store, path)
        counts = Counter(read(record) for record in self.store.rows(related.table) if matches(record))
        test, wanted = _COUNTS[related.operator], related.count
        return lambda record: test(counts[record.sys_id], wanted)

    def sort(self, records: list[Record], orders: Iterable[Order], table: str) -> None:
        """Sort in place by several fields; a field that cannot be sorted by is ignored."""
        for order in reversed(list(orders)):
            path = find_path(self.store, table, order.field)
            if path and order.field not in self.range_refused:
                records.sort(key=sort_key(self.store, path), reverse=order.descending)


def sort_key(store: Store, path: Path) -> Callable[[Record], Any]:
    kind = path.column.kind
    if kind in DATES:
        return reader(store, path)
    read = display_reader(store, path)
    if kind in NUMBERS or kind == "choice":
        return lambda record: _numbers_first(read(record))
    return lambda record: read(record).casefold()


def _numbers_first(text: str) -> tuple[int, float, str]:
    if not text:
        return (0, 0.0, "")
    amount = number(text)
    return (2, 0.0, text.casefold()) if amount is None else (1, amount, "")
