"""Stores the records: each table twice, as written and as readers see it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .schema import Schema


class Record(dict[str, str]):
    """One version of a record. It is replaced instead of changed, so its rendered form stays valid."""

    __slots__ = ("rendered", "table")

    def __init__(self, table: str, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.table = table
        self.rendered: tuple[object, bytes] | None = None

    def __missing__(self, field: str) -> str:
        return ""

    @property
    def sys_id(self) -> str:
        return self["sys_id"]


class Table(Mapping[str, Record]):
    """The records of exactly this class, as written."""

    def __init__(self) -> None:
        self.written: dict[str, Record] = {}
        self.visible: dict[str, Record] = {}
        self.revision = 0

    def __getitem__(self, sys_id: str) -> Record:
        return self.written[sys_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def show(self, record: Record) -> None:
        self.visible[record.sys_id] = record
        self.revision += 1

    def drop(self, sys_id: str) -> None:
        self.written.pop(sys_id, None)
        self.visible.pop(sys_id, None)
        self.revision += 1


@dataclass(frozen=True)
class Commit:
    visible_at: datetime
    record: Record


class Store:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tables: dict[str, Table] = {spec.name: Table() for spec in schema}
        self.files: dict[str, bytes] = {}
        self._pending: list[Commit] = []
        self._journal: tuple[int, dict[str, list[Record]]] = (-1, {})

    def add_table(self, name: str) -> None:
        self.tables.setdefault(name, Table())

    def put(self, record: Record, visible_at: datetime | None = None) -> None:
        table = self.tables[record.table]
        table.written[record.sys_id] = record
        if visible_at is None:
            self._forget_pending(record.sys_id)
            table.show(record)
        else:
            self._pending.append(Commit(visible_at, record))

    def remove(self, record: Record) -> None:
        self._forget_pending(record.sys_id)
        self.tables[record.table].drop(record.sys_id)

    def _forget_pending(self, sys_id: str) -> None:
        if self._pending:
            self._pending = [commit for commit in self._pending if commit.record.sys_id != sys_id]

    def settle(self, now: datetime) -> None:
        """Make the writes visible whose delay has passed."""
        if not self._pending:
            return
        for commit in self._pending:
            if commit.visible_at <= now:
                self.tables[commit.record.table].show(commit.record)
        self._pending = [commit for commit in self._pending if commit.visible_at > now]

    def rows(self, table: str) -> Iterator[Record]:
        """The records that readers of a table see: its own and those of the tables that extend it."""
        for name in self.schema.family(table):
            yield from self.tables[name].visible.values()

    def find(self, table: str, sys_id: str) -> Record | None:
        for name in self.schema.family(table):
            if found := self.tables[name].visible.get(sys_id):
                return found
        return None

    def find_written(self, table: str, sys_id: str) -> Record | None:
        for name in self.schema.family(table):
            if found := self.tables[name].written.get(sys_id):
                return found
        return None

    def revision(self, table: str) -> int:
        return sum(self.tables[name].revision for name in self.schema.family(table))

    def display(self, table: str, sys_id: str) -> str:
        """The display value of a record, which references to it show."""
        if table not in self.schema:
            return ""
        found = self.find(table, sys_id)
        return found[self.schema.spec(found.table).display] if found else ""

    def journal(self, element_id: str) -> list[Record]:
        """The journal entries of one record, oldest first."""
        table = self.tables["sys_journal_field"]
        if self._journal[0] != table.revision:
            self._journal = (table.revision, _by_element(table.visible.values()))
        return self._journal[1].get(element_id, [])


def _by_element(entries: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for entry in entries:
        found.setdefault(entry["element_id"], []).append(entry)
    return found
