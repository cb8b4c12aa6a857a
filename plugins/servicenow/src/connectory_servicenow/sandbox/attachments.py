"""The Attachment API: files that belong to records."""

import hashlib
import json
from typing import Any

from werkzeug.wrappers import Response

from connectory.sandbox import empty_reply, json_reply

from .call import Call
from .inputs import read_body
from .listing import page_headers, require_table, select_page
from .replies import ApiError, no_record
from .store import Record
from .tableapi import refusals_as_errors, require_writer

TABLE = "sys_attachment"
DEFAULT_LIMIT = 1000


def list_attachments(call: Call) -> Response:
    page = select_page(call, TABLE, DEFAULT_LIMIT)
    call.rows = len(page.records)
    reply = json_reply({"result": [_metadata(call, record) if record else {} for record in page.records]})
    reply.headers.update(page_headers(call, page))
    return reply


def get_attachment(call: Call, sys_id: str) -> Response:
    return json_reply({"result": _metadata(call, _existing(call, sys_id))})


def get_file(call: Call, sys_id: str) -> Response:
    record = _existing(call, sys_id)
    reply = Response(call.instance.store.files.get(sys_id, b""), content_type=record["content_type"])
    reply.headers["X-Attachment-Metadata"] = json.dumps(_metadata(call, record))
    return reply


def create_from_body(call: Call) -> Response:
    if not call.request.content_type:
        raise ApiError(400, "Content-Type is mandatory")
    names = ("table_name", "table_sys_id", "file_name")
    values = {name: call.param(name) for name in names}
    return _create(call, values, call.request.content_type, call.request.get_data())


def create_from_form(call: Call) -> Response:
    upload = next(iter(call.request.files.values()), None)
    if upload is None:
        raise ApiError(400, "Missing uploadFile part")
    values = {name: call.request.form.get(name, "") for name in ("table_name", "table_sys_id")}
    values["file_name"] = upload.filename or ""
    return _create(call, values, upload.content_type or "application/octet-stream", upload.read())


def rename(call: Call, sys_id: str) -> Response:
    require_writer(call)
    _existing(call, sys_id)
    values = {name: value for name, value in read_body(call).items() if name == "file_name"}
    with refusals_as_errors():
        record = call.instance.business.update(TABLE, sys_id, values, by=call.user)
    return json_reply({"result": _metadata(call, record)})


def delete(call: Call, sys_id: str) -> Response:
    require_writer(call)
    _existing(call, sys_id)
    with refusals_as_errors():
        call.instance.business.delete(TABLE, sys_id, by=call.user)
    return empty_reply()


def _create(call: Call, values: dict[str, str], content_type: str, data: bytes) -> Response:
    require_writer(call)
    if missing := [name for name, value in values.items() if not value]:
        raise ApiError(400, "Missing parameter", ", ".join(missing))
    _require_parent(call, values["table_name"], values["table_sys_id"])
    size = str(len(data))
    about = {
        "content_type": content_type,
        "size_bytes": size,
        "size_compressed": size,
        "hash": hashlib.sha256(data).hexdigest(),
    }
    with refusals_as_errors():
        record = call.instance.business.insert(TABLE, values | about, by=call.user)
    call.instance.store.files[record.sys_id] = data
    reply = json_reply({"result": _metadata(call, record)}, 201)
    reply.headers["Location"] = _file_link(call, record)
    return reply


def _require_parent(call: Call, table: str, sys_id: str) -> None:
    require_table(call, table)
    if call.instance.store.find_written(table, sys_id) is None:
        raise no_record()


def _existing(call: Call, sys_id: str) -> Record:
    record = call.instance.store.find_written(TABLE, sys_id)
    if record is None:
        raise no_record()
    return record


def _metadata(call: Call, record: Record) -> dict[str, Any]:
    columns = call.instance.schema.columns(TABLE)
    return {name: record[name] for name in columns} | {"download_link": _file_link(call, record)}


def _file_link(call: Call, record: Record) -> str:
    return f"{call.api}/attachment/{record.sys_id}/file"
