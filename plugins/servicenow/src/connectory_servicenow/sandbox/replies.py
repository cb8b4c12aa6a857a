"""Error replies with the texts of ServiceNow."""

from typing import Any

from werkzeug.wrappers import Response

from connectory import sandbox as base
from connectory.sandbox import json_reply


class ApiError(base.ApiError):
    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(status, message, detail=detail)


def error_body(error: base.ApiError) -> dict[str, Any]:
    return {"error": {"message": error.message, "detail": error.details.get("detail")}, "status": "failure"}


def error_reply(error: base.ApiError) -> Response:
    return json_reply(error_body(error), error.status)


def not_authenticated() -> ApiError:
    return ApiError(401, "User Not Authenticated", "Required to provide Auth information")


def no_record() -> ApiError:
    return ApiError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def no_resource() -> ApiError:
    return ApiError(400, "Requested URI does not represent any resource")
