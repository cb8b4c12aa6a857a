"""Fields and dot-walks: `caller_id.department.name` from a record of a table."""

from collections.abc import Callable
from dataclasses import dataclass

from .schema import Column
from .store import Record, Store

BOTH_JOURNALS = "comments_and_work_notes"


@dataclass(frozen=True, slots=True)
class Path:
    """The reference columns to follow, and the column at the end of them."""

    name: str
    steps: tuple[Column, ...]
    column: Column
    table: str
    """The table that the column at the end belongs to."""


def find_path(store: Store, table: str, name: str) -> Path | None:
    """None if a part of the name is not a column, or if a part before the last is not a reference."""
    *walked, last = name.split(".")
    steps: list[Column] = []
    for part in walked:
        column = store.schema.columns(table).get(part)
        if column is None or column.target not in store.schema:
            return None
        steps.append(column)
        table = column.target
    column = store.schema.columns(table).get(last)
    return Path(name, tuple(steps), column, table) if column else None


def owner(store: Store, path: Path, record: Record) -> Record | None:
    """The record at the end of the path, which has the column."""
    found: Record | None = record
    for step in path.steps:
        found = store.find(step.target, found[step.name]) if found and found[step.name] else None
    return found


def reader(store: Store, path: Path) -> Callable[[Record], str]:
    """Reads the stored value; it is empty if a reference on the path is empty."""
    name = path.column.name
    if not path.steps:
        return lambda record: record[name]

    def walk(record: Record) -> str:
        found = owner(store, path, record)
        return found[name] if found else ""

    return walk


def display_reader(store: Store, path: Path) -> Callable[[Record], str]:
    """Reads the display value of a reference, the entries of a journal, and the stored value of other columns."""
    if path.column.kind == "journal":
        return lambda record: _journal_text(store, owner(store, path, record), path.column.name)
    read = reader(store, path)
    target = path.column.target
    if not target:
        return read
    return lambda record: store.display(target, read(record))


def _journal_text(store: Store, record: Record | None, name: str) -> str:
    entries = store.journal(record.sys_id) if record else []
    return "\n".join(entry["value"] for entry in entries if name in {entry["element"], BOTH_JOURNALS})
