"""Answers in the instance's words."""

import json
from typing import Any

from werkzeug.wrappers import Response

JSON_TYPE = "application/json;charset=UTF-8"


class ApiError(Exception):
    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail


def json_reply(body: bytes, status: int = 200) -> Response:
    return Response(body, status=status, content_type=JSON_TYPE)


def value_reply(value: Any, status: int = 200) -> Response:
    return json_reply(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), status)


def error_reply(error: ApiError) -> Response:
    body = {"error": {"message": error.message, "detail": error.detail}, "status": "failure"}
    return value_reply(body, error.status)


def empty_reply(status: int = 204) -> Response:
    reply = Response(status=status)
    del reply.headers["Content-Type"]
    return reply


def html_reply(title: str, text: str, status: int = 200) -> Response:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"
    return Response(page, status=status, content_type="text/html;charset=UTF-8")


def not_authenticated() -> ApiError:
    return ApiError(401, "User Not Authenticated", "Required to provide Auth information")


def no_record() -> ApiError:
    return ApiError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def no_resource() -> ApiError:
    return ApiError(400, "Requested URI does not represent any resource")
