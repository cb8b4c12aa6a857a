"""Tables, their columns and how they extend one another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

Kind = Literal[
    "string",
    "text",
    "integer",
    "decimal",
    "boolean",
    "choice",
    "reference",
    "date_time",
    "due_date",
    "date",
    "duration",
    "journal",
    "list",
    "guid",
    "class_name",
    "password",
]
KINDS: frozenset[str] = frozenset(get_args(Kind))
DATES = frozenset({"date_time", "due_date", "date"})
NUMBERS = frozenset({"integer", "decimal"})


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    target: str = ""
    """The table a reference points to."""


def columns(**names_by_kind: str) -> dict[str, Column]:
    """Columns from words grouped by kind; a reference is written `name:table`."""
    found: dict[str, Column] = {}
    for kind, names in names_by_kind.items():
        found.update(_columns_of_kind(kind, names.split()))
    return found


def _columns_of_kind(kind: str, words: Iterable[str]) -> Iterator[tuple[str, Column]]:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a kind of column")
    for word in words:
        name, _, target = word.partition(":")
        yield name, Column(name, cast("Kind", kind), target)


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    name: str
    label: str
    parent: str = ""
    display: str = "name"
    prefix: str = ""
    """The prefix of record numbers; only tables with a prefix number their records."""
    own: Mapping[str, Column] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


SYSTEM_COLUMNS = columns(
    guid="sys_id",
    date_time="sys_created_on sys_updated_on",
    string="sys_created_by sys_updated_by sys_tags",
    integer="sys_mod_count",
)
CLASS_COLUMNS = columns(class_name="sys_class_name", string="sys_domain sys_domain_path")


class Schema:
    def __init__(self, specs: Iterable[TableSpec]) -> None:
        self._specs: dict[str, TableSpec] = {}
        self._columns: dict[str, dict[str, Column]] = {}
        self._families: dict[str, tuple[str, ...]] = {}
        for spec in specs:
            self.add(spec)

    def add(self, spec: TableSpec) -> None:
        self._specs[spec.name] = spec
        self._columns.clear()
        self._families.clear()

    def __contains__(self, table: object) -> bool:
        return table in self._specs

    def __iter__(self) -> Iterator[TableSpec]:
        return iter(self._specs.values())

    def spec(self, table: str) -> TableSpec:
        return self._specs[table]

    def lineage(self, table: str) -> tuple[str, ...]:
        """The table and the tables it extends, nearest first."""
        found = [table]
        while parent := self._specs[found[-1]].parent:
            found.append(parent)
        return tuple(found)

    def family(self, table: str) -> tuple[str, ...]:
        """The table and every table that extends it."""
        if table not in self._families:
            self._families[table] = tuple(name for name in self._specs if table in self.lineage(name))
        return self._families[table]

    def columns(self, table: str) -> dict[str, Column]:
        if table not in self._columns:
            self._columns[table] = self._collect(table)
        return self._columns[table]

    def _collect(self, table: str) -> dict[str, Column]:
        lineage = self.lineage(table)
        found = dict(SYSTEM_COLUMNS)
        if len(lineage) > 1 or len(self.family(table)) > 1 or table in {"sys_user", "core_company"}:
            found |= CLASS_COLUMNS
        for name in reversed(lineage):
            found |= self._specs[name].own
        return found

    def defaults(self, table: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in reversed(self.lineage(table)):
            found |= self._specs[name].defaults
        return found

    def prefix(self, table: str) -> str:
        return self._specs[table].prefix
