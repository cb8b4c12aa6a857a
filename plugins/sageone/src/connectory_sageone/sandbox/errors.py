"""Sage's errors: always an array, one entry per mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectory.sandbox import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {
    401: "AuthorizationFailure",
    403: "MultiUserAccessDenied",
    404: "RecordNotFound",
    405: "MethodNotAllowed",
    415: "UnsupportedMediaType",
    422: "Validation",
    429: "TooManyRequests",
}
_MESSAGES = {401: "Access denied.", 403: "You do not have permission to do this."}

Mistake = tuple[str, str]
"""A field, such as `contact[name]`, and its mistake."""


def error_body(error: ApiError) -> list[dict[str, Any]]:
    code = _CODES.get(error.status, "UnexpectedError" if error.status >= 500 else "InvalidRequest")
    mistakes: Sequence[Mistake] = error.details.get("mistakes") or [("", error.message)]
    return [
        {"$severity": "error", "$dataCode": code, "$message": message, "$source": source}
        for source, message in mistakes
    ]


def refused(*mistakes: Mistake) -> ApiError:
    """422 with these mistakes."""
    return ApiError(422, "validation failed", mistakes=mistakes)


def unauthorized(message: str = _MESSAGES[401]) -> ApiError:
    return ApiError(401, message)


def forbidden() -> ApiError:
    return ApiError(403, _MESSAGES[403])


def not_found() -> ApiError:
    return ApiError(404, "The record could not be found.")
