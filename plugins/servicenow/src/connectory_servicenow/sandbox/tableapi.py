"""The Table API: list, read, create, change and delete records."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.wrappers import Response

from connectory.sandbox import empty_reply, json_reply

from .call import Call
from .inputs import writable
from .listing import Page, may_read, page_headers, require_table, select_page, shown_fields
from .render import Renderer, View, result_list
from .replies import ApiError, no_record
from .rules import RuleError
from .store import Record

CANCELLED = "Transaction cancelled: maximum execution time exceeded"
CANCEL_DETAIL = "Check logs for error trace or enable glide.rest.debug property to verify REST request processing"


def list_records(call: Call, table: str) -> Response:
    require_table(call, table)
    page = select_page(call, table)
    headers = page_headers(call, page)
    call.rows = len(page.records)
    if not page.records and call.version == "v1":
        raise ApiError(404, "No Record found", "Records matching the query do not exist")
    reply = json_reply(_list_body(call, table, page))
    reply.headers.update(headers)
    return reply


def _list_body(call: Call, table: str, page: Page) -> bytes:
    render = renderer(call, table)
    rows = [render.json(record) if record else b"{}" for record in page.records]
    done = _rows_before_cancel(call, len(rows))
    if done is None:
        return result_list(rows)
    return _cancelled(rows[:done], call.switches.cancel_style)


def _rows_before_cancel(call: Call, rows: int) -> int | None:
    """The number of rows that are sent before the quota ends the transaction; None if all are."""
    if fault := call.fault("partial_200"):
        return int(fault.number(rows // 2))
    limit = call.switches.cancel_after
    return limit if limit is not None and rows > limit else None


def _cancelled(rows: list[bytes], style: str) -> bytes:
    if style == "cut":
        return result_list(rows).removesuffix(b"]}") + b","
    if style == "stray":
        rows = [*rows, json.dumps(CANCELLED).encode()]
    error = json.dumps({"error": {"message": CANCELLED, "detail": CANCEL_DETAIL}, "status": "failure"})
    return result_list(rows).removesuffix(b"}") + b"," + error.removeprefix("{").encode()


def renderer(call: Call, table: str) -> Renderer:
    view = View(
        table=table,
        names=shown_fields(call, table),
        display=call.display,
        links=not call.flag("sysparm_exclude_reference_link"),
        base=f"{call.api}/table",
    )
    return Renderer(call.instance.store, view, call.reading)


def get_record(call: Call, table: str, sys_id: str) -> Response:
    require_table(call, table)
    record = call.instance.store.find(table, sys_id)
    if record is None or not may_read(call, table, record):
        raise no_record()
    call.rows = 1
    return record_reply(call, table, record)


def record_reply(call: Call, table: str, record: Record, status: int = 200) -> Response:
    return json_reply(b'{"result":' + renderer(call, table).json(record) + b"}", status)


def create_record(call: Call, table: str) -> Response:
    require_table(call, table)
    require_writer(call)
    values = writable(call, table)
    with refusals_as_errors():
        record = call.instance.business.insert(table, values, by=call.user)
    reply = _written(call, table, record, 201)
    reply.headers["Location"] = f"{call.api}/table/{table}/{record.sys_id}"
    return reply


def change_record(call: Call, table: str, sys_id: str) -> Response:
    require_table(call, table)
    require_writer(call)
    values = writable(call, table)
    values.pop("sys_id", None)
    _require_record(call, table, sys_id)
    with refusals_as_errors():
        record = call.instance.business.update(table, sys_id, values, by=call.user)
    return _written(call, table, record, 200)


def delete_record(call: Call, table: str, sys_id: str) -> Response:
    require_table(call, table)
    require_writer(call)
    _require_record(call, table, sys_id)
    with refusals_as_errors():
        call.instance.business.delete(table, sys_id, by=call.user)
    return empty_reply()


def _require_record(call: Call, table: str, sys_id: str) -> None:
    if call.instance.store.find_written(table, sys_id) is None:
        raise no_record()


def require_writer(call: Call) -> None:
    if "snc_read_only" in call.person["roles"].split(","):
        raise ApiError(403, "Operation Failed", "ACL Exception Insert Failed due to security constraints")


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    try:
        yield
    except RuleError as refusal:
        raise ApiError(403, "Operation Failed", str(refusal)) from refusal


def _written(call: Call, table: str, record: Record, status: int) -> Response:
    if call.request.headers.get("X-no-response-body", "").lower() == "true":
        return empty_reply(status)
    return record_reply(call, table, record, status)
