"""An explanation of a poll as text: a section for each question that people ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ..serialize import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType

    from ..app import Explanation, PageNote, RecordNote

_COLOURS = {"created": "green", "updated": "yellow", "hidden": "magenta"}


def print_explanation(console: Console, explanation: Explanation) -> None:
    for part in _parts(explanation):
        console.print(part, soft_wrap=isinstance(part, Text))


def _parts(found: Explanation) -> Iterator[RenderableType]:
    yield Text(
        f"{found.resource} of instance {found.instance['id']} ({found.instance['name']}), read from {found.reads}"
    )
    yield from _section("Request")
    yield _pairs(
        [
            ("template", found.template),
            *((slot.text, slot.value or "filled in by the plugin") for slot in found.slots),
            ("rendered", found.url),
            ("query", found.query or "none"),
            *found.params,
        ]
    )
    yield from _section("Window")
    yield _table(("", "moment", "why"), [(step.what, iso(step.moment), step.note) for step in found.window])
    yield from _section("Dates")
    yield _table(
        ("", "field", "pattern", "zone", "example"),
        [(date.role, date.field, date.pattern, date.zone, date.example) for date in found.dates],
    )
    yield from _section("Pages")
    yield _table(("page", "rows", "hidden", "total", "bytes", "seconds", "parameters"), map(_page, found.pages))
    yield from _section("Records")
    yield _records(found.records)
    if found.records_left_out:
        yield Text(f"{found.records_left_out} more records are counted, and not shown")
    yield from _section("What the poll would do")
    yield _pairs(_outcome(found))


def _outcome(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "records", ", ".join(f"{count} {verdict}" for verdict, count in found.totals.items()) or "none"
    if found.failure is not None:
        yield "fail", f"{found.failure.type}: {found.failure.message}"
    elif found.would_announce:
        yield "announce", ", ".join(f"{count} {type_}" for type_, count in found.would_announce.items())
    if found.next_since is not None:
        yield "next cursor", iso(found.next_since)
    for note in found.notes:
        yield "note", note


def _section(title: str) -> Iterator[Text]:
    yield Text()
    yield Text(title, style="bold")


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(f"  {name}", Text(value))
    return table


def _table(columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else Text(str(cell)) for cell in row))
    return table


def _page(page: PageNote) -> tuple[object, ...]:
    params = " ".join(f"{name}={value}" for name, value in page.params)
    return page.number, page.rows, page.hidden, page.total, page.bytes, f"{page.seconds:.3f}", params


def _records(records: Iterable[RecordNote]) -> Table:
    table = _table(("page", "id", "updated", "verdict", "event", "why"), [])
    for record in records:
        why = record.reason if record.warning is None else f"{record.reason} ({record.warning})"
        table.add_row(
            str(record.page),
            Text(record.id or "?"),
            Text(_updated(record)),
            Text(record.verdict, style=_COLOURS.get(record.verdict, "")),
            "" if record.sequence is None else str(record.sequence),
            Text(why),
        )
    return table


def _updated(record: RecordNote) -> str:
    """The date, or what stands in its place."""
    if record.updated is not None:
        return iso(record.updated)
    return "" if record.updated_raw is None else str(record.updated_raw)
