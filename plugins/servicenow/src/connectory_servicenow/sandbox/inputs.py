"""Reads the body of a write; its values are stored codes or labels as shown on the screen."""

import json
from datetime import datetime
from typing import Any

from .call import Call
from .labels import choices_for, code_for
from .render import Reading, strftime
from .replies import ApiError
from .schema import DATES, Column
from .stamps import to_stamp
from .store import Store

_READ_ONLY = frozenset({"sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count"})


def writable(call: Call, table: str) -> dict[str, Any]:
    """The values of the body that may be written; names that are not columns are ignored."""
    columns = call.instance.schema.columns(table)
    values = {name: value for name, value in read_body(call).items() if name in columns and name not in _READ_ONLY}
    by_label = call.flag("sysparm_input_display_value")
    return {name: _value(call, table, columns[name], value, by_label) for name, value in values.items()}


def read_body(call: Call) -> dict[str, Any]:
    if not call.request.content_length:
        return {}
    if call.request.mimetype not in {"application/json", "text/json"}:
        raise ApiError(
            415, "Unsupported media type", f"content type {call.request.mimetype or '(none)'} is not accepted"
        )
    try:
        body = json.loads(call.request.get_data())
    except ValueError as error:
        raise ApiError(400, "Exception while reading request", "The payload is not valid JSON") from error
    return _first(body)


def _first(body: Any) -> dict[str, Any]:
    # If the body holds several records, only the first is used.
    if isinstance(body, dict) and isinstance(body.get("records"), list):
        body = body["records"]
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        raise ApiError(400, "Exception while reading request", "The payload is not a JSON object")
    return body


def _value(call: Call, table: str, column: Column, value: Any, by_label: bool) -> Any:
    if not isinstance(value, str) or not value:
        return value
    store = call.instance.store
    if column.target:
        return _reference(store, column.target, value, by_label)
    if not by_label:
        return value
    if column.kind == "choice":
        return code_for(choices_for(store.schema.lineage(table), column.name), value)
    if column.kind in DATES:
        return _stamp(call.reading, column, value)
    return value


def _reference(store: Store, target: str, value: str, by_name: bool) -> str:
    """The id that a reference is set to; empty, without an error, if there is no such record."""
    if target not in store.schema or store.find_written(target, value):
        return value
    if not by_name:
        # In tables that the sandbox leaves empty, any id is accepted.
        return "" if any(True for _ in store.rows(target)) else value
    matches = (row.sys_id for row in store.rows(target) if row[store.schema.spec(row.table).display] == value)
    return next(matches, "")


def _stamp(reading: Reading, column: Column, value: str) -> str:
    layout = reading.date if column.kind == "date" else f"{reading.date} {reading.time}"
    try:
        moment = datetime.strptime(value, strftime(layout)).replace(tzinfo=reading.zone)
    except ValueError:
        return value
    return moment.strftime("%Y-%m-%d") if column.kind == "date" else to_stamp(moment)
