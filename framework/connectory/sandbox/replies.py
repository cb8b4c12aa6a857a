"""Makes responses, and holds the exception that becomes one."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Response


class ApiError(Exception):
    """Ends a call with an error. `details` are passed to the sandbox's `error_body`.

    >>> raise ApiError(409, "the order is closed", field="status")
    Traceback (most recent call last):
    connectory.sandbox.replies.ApiError: the order is closed
    """

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


def json_reply(value: Any, status: int = 200) -> Response:
    """A JSON value as a response, in UTF-8 without blanks. Bytes are taken as JSON text.

    >>> json_reply({"name": "Zoë"}, 201).status, json_reply({"name": "Zoë"}).get_data(as_text=True)
    ('201 CREATED', '{"name":"Zoë"}')
    """
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status=status, content_type="application/json")


def empty_reply(status: int = 204) -> Response:
    """A response without a body.

    >>> empty_reply().status_code, empty_reply(202).get_data()
    (204, b'')
    """
    reply = Response(status=status)
    del reply.headers["Content-Type"]
    return reply


def html_reply(title: str, text: str, status: int = 200) -> Response:
    """A web page, such as that of a load balancer. `text` is HTML and is not escaped.

    >>> html_reply("Sorry", "<h1>Back soon</h1>", 503).content_type
    'text/html; charset=utf-8'
    """
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"
    return Response(page, status=status, content_type="text/html; charset=utf-8")
