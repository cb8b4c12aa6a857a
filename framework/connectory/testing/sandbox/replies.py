"""Answers, and the errors that become answers."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Response


class ApiError(Exception):
    """Ends a call with an error. `details` is for the sandbox's `error_body`."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


def json_reply(value: Any, status: int = 200) -> Response:
    """A JSON value; bytes are taken for one that is written already."""
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status=status, content_type="application/json")


def empty_reply(status: int = 204) -> Response:
    reply = Response(status=status)
    del reply.headers["Content-Type"]
    return reply


def html_reply(title: str, text: str, status: int = 200) -> Response:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"
    return Response(page, status=status, content_type="text/html; charset=utf-8")
