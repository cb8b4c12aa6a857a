"""One exchange with a provider: the request, the response, and who sends the one and gets the other."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

Params = tuple[tuple[str, str], ...]
"""The parameters of a request in their order, not encoded yet: `(("limit", "50"), ("status", "open"))`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request. `path` starts with `/` and is relative to the instance's base URL; `params` are not encoded yet.

    >>> first = Request(path="/orders", params=(("limit", "50"),))
    >>> first.with_params(offset="50", limit=None).params
    (('offset', '50'),)
    """

    method: str = "GET"
    path: str
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def with_params(self, **changes: str | None) -> Request:
        """The same request with these parameters set; a parameter whose value is None is removed."""
        kept = tuple((name, value) for name, value in self.params if name not in changes)
        added = tuple((name, value) for name, value in changes.items() if value is not None)
        return replace(self, params=kept + added)

    def param(self, name: str) -> str | None:
        return next((value for key, value in self.params if key == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """A provider's answer. The names in `headers` are case-insensitive; `body` is complete and decompressed.

    >>> answer = Response(status=200, headers={"Date": "Thu, 01 Jan 2026 12:00:00 GMT"}, body=b'{"items": []}')
    >>> answer.json(), answer.date.isoformat()
    ({'items': []}, '2026-01-01T12:00:00+00:00')
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def date(self) -> datetime | None:
        """The provider's own time, from the HTTP `Date` header; it is exact to one second."""
        value = self.headers.get("Date")
        return http_date(value) if value else None

    def json(self) -> Any:
        """The decoded body; raises `msgspec.DecodeError` if it is not JSON."""
        return msgspec.json.decode(self.body)


class Sender(Protocol):
    """Sends requests for a plugin, signed as the instance and within its limits."""

    def send(self, request: Request) -> Response:
        """The answer, if it is usable; otherwise a `ConnectoryError` is raised."""
        ...


def http_date(value: str) -> datetime | None:
    """The moment of an HTTP date, aware UTC; None if it is not a date."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
