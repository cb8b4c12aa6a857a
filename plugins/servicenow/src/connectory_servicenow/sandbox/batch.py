"""The Batch API: several calls in one."""

import base64
import binascii
from typing import Any

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from connectory.sandbox import json_reply

from .call import Call
from .inputs import read_body
from .replies import ApiError


def serve(call: Call) -> Response:
    body = read_body(call)
    served = [_serve_one(call, item) for item in body.get("rest_requests", [])]
    return json_reply(
        {
            "batch_request_id": str(body.get("batch_request_id", "")),
            "serviced_requests": served,
            "unserviced_requests": [],
        }
    )


def _serve_one(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    if call.serve is None:
        raise ApiError(400, "Batches cannot be nested")
    reply = call.serve(_inner_request(call, item))
    shows_headers = not item.get("exclude_response_headers", False)
    return {
        "id": item.get("id", ""),
        "body": base64.b64encode(reply.get_data()).decode(),
        "status_code": reply.status_code,
        "status_text": HTTP_STATUS_CODES.get(reply.status_code, ""),
        "headers": [{"name": name, "value": value} for name, value in reply.headers] if shows_headers else [],
        "execution_time": 1,
        "error_message": "",
        "redirect_url": "",
    }


def _inner_request(call: Call, item: dict[str, Any]) -> Request:
    path, _, query = str(item.get("url", "")).partition("?")
    headers = {header["name"]: header["value"] for header in item.get("headers", [])}
    builder = EnvironBuilder(
        path=path,
        query_string=query,
        base_url=call.request.host_url,
        method=str(item.get("method", "GET")).upper(),
        headers=headers,
        data=_decoded(str(item.get("body") or "")),
    )
    return Request(builder.get_environ())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ApiError(400, "Invalid body", "the body of a batched request is base64") from error
