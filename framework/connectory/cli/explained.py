"""Prints the explanation of a poll: a section for each question that people ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..serialize import iso
from .output import pairs, say
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..app import Explanation, PageNote, RecordNote

_COLOURS = {"created": "green", "updated": "yellow", "hidden": "magenta"}


def print_explanation(found: Explanation) -> None:
    say(f"{found.resource} of instance {found.instance['id']} ({found.instance['name']}), read from {found.reads}")
    _heading("Request")
    pairs(_request(found), "  ")
    _heading("Window")
    table(("", "moment", "why"), [(step.what, iso(step.moment), step.note) for step in found.window])
    _heading("Dates")
    table(
        ("", "field", "pattern", "zone", "example"),
        [(date.role, date.field, date.pattern, date.zone, date.example) for date in found.dates],
    )
    _heading("Pages")
    table(("page", "rows", "hidden", "total", "bytes", "seconds", "parameters"), map(_page, found.pages))
    _heading("Records")
    table(("page", "id", "updated", "verdict", "event", "why"), map(_record, found.records), _COLOURS)
    if found.records_left_out:
        say(f"Records that were counted but are not shown: {found.records_left_out}")
    _heading("What the poll would do")
    pairs(_outcome(found), "  ")


def _heading(title: str) -> None:
    say()
    say(title)


def _request(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "template", found.template
    for slot in found.slots:
        yield slot.text, slot.value or "filled in by the plugin"
    yield "rendered", found.url
    yield "query", found.query or "none"
    yield from found.params


def _page(page: PageNote) -> tuple[object, ...]:
    params = " ".join(f"{name}={value}" for name, value in page.params)
    return page.number, page.rows, page.hidden, page.total, page.bytes, f"{page.seconds:.3f}", params


def _record(record: RecordNote) -> tuple[object, ...]:
    why = record.reason if record.warning is None else f"{record.reason} ({record.warning})"
    return record.page, record.id or "?", _updated(record), record.verdict, record.sequence, why


def _updated(record: RecordNote) -> object:
    """The parsed date; if it could not be parsed, the value that the record has instead."""
    return record.updated_raw if record.updated is None else iso(record.updated)


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
