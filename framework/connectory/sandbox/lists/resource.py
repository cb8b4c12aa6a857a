"""Handlers for a table: its list and its single records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from ..replies import ApiError, empty_reply, json_reply
from .pages import Cut, Style, body_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from ..call import Call
    from .table import Row, Table

Where = Callable[[Mapping[str, Any], "Call"], bool]
Show = Callable[[Mapping[str, Any], "Call"], Any]


def list_handler(
    rows: Callable[[], Sequence[Row]], style: Style, records: str, where: Where, show: Show
) -> Callable[[Call], Response]:
    """A handler that answers with a page of `rows()`: those that match `where`, paged by `style`, as shown by `show`.

    It applies the faults `ignored_filter`, `empty_page` and `hidden_rows`.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox import AllAtOnce, Call
    >>> rows = [{"id": "1", "open": True}, {"id": "2", "open": False}]
    >>> where, show = lambda row, call: row["open"], lambda row, call: row["id"]
    >>> handle = list_handler(lambda: rows, AllAtOnce(), "items", where, show)
    >>> handle(Call(request=Request.from_values("/orders"))).json
    {'items': ['1']}
    """

    def handle(call: Call) -> Response:
        found = rows() if call.fault("ignored_filter") else [row for row in rows() if where(row, call)]
        cut = with_faults(style.cut(found, call), call)
        cut = replace(cut, rows=[show(row, call) for row in cut.rows])
        call.rows = len(cut.rows)
        reply = json_reply(body_of(cut, records))
        reply.headers.update(cut.headers)
        return reply

    return handle


def with_faults(cut: Cut, call: Call) -> Cut:
    """A page without the records that the call's faults remove.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox import Call, Fault
    >>> broken = Call(request=Request.from_values("/orders"), faults=(Fault("empty_page"),))
    >>> with_faults(Cut(rows=[{"id": "1"}], fields={"total": 1}), broken)
    Cut(rows=[], fields={'total': 1}, headers={})
    """
    if call.fault("empty_page"):
        return replace(cut, rows=[])
    if fault := call.fault("hidden_rows"):
        share, random = fault.number(0.5), Random(str(call.request.full_path))
        return replace(cut, rows=[row for row in cut.rows if random.random() >= share])
    return cut


def record_handlers(table: Table) -> dict[tuple[str, tuple[str, ...]], Callable[[Call], Any]]:
    """Handlers by path suffix and methods."""

    def create(call: Call) -> Any:
        return table.insert(_writable(table, call)), 201

    def read(call: Call) -> Any:
        row = table.get(call.values["row_id"])
        if row is None:
            raise _no_record(call)
        return row

    def update(call: Call) -> Any:
        row_id = call.values["row_id"]
        if row_id not in table.written:
            raise _no_record(call)
        return table.update(row_id, _writable(table, call))

    def delete(call: Call) -> Response:
        if call.values["row_id"] not in table.written:
            raise _no_record(call)
        table.delete(call.values["row_id"])
        return empty_reply()

    return {
        ("", ("POST",)): create,
        ("/<row_id>", ("GET",)): read,
        ("/<row_id>", ("PUT", "PATCH")): update,
        ("/<row_id>", ("DELETE",)): delete,
    }


def _writable(table: Table, call: Call) -> Row:
    read_only = {table.id, table.created, table.updated, table.deleted}
    return {name: value for name, value in call.json().items() if name not in read_only}


def _no_record(call: Call) -> ApiError:
    return ApiError(404, f"there is no record {call.values['row_id']}")
