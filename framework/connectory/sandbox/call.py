"""One call of the API, with its parameters and its body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .replies import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

    from .faults import Fault


SECRETS = frozenset({"token", "access_token", "refresh_token", "client_secret", "password", "code", "api_key"})
"""Parameters that no log and no link repeats."""


@dataclass(kw_only=True)
class Call:
    """`user` is the user who is logged in, `values` the named parts of the path, and `rows` the number of records
    in the answer.

    >>> from werkzeug.wrappers import Request
    >>> call = Call(request=Request.from_values("/orders?limit=500&status=open"))
    >>> call.param("status"), call.number("limit", 20, most=100), call.number("offset", 0)
    ('open', 100, 0)
    """

    request: Request
    user: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    rows: int | None = None

    def param(self, name: str, default: str = "") -> str:
        return self.request.args.get(name, default)

    def number(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A parameter as a number, limited to the bounds. `ApiError` 400 if it is not a number."""
        text = self.param(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            raise ApiError(400, f"{name} is not a number") from None
        number = max(number, least)
        return number if most is None else min(number, most)

    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object. `ApiError` 415 or 400 if it is not."""
        if self.request.mimetype != "application/json":
            raise ApiError(415, f"content type {self.request.mimetype or '(none)'} is not accepted")
        try:
            body = json.loads(self.request.get_data())
        except ValueError:
            raise ApiError(400, "the body is not valid JSON") from None
        if not isinstance(body, dict):
            raise ApiError(400, "the body is not a JSON object")
        return body

    def fault(self, kind: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind == kind), None)
