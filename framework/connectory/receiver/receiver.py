"""The receiving end: a WSGI application that verifies notifications, knows repeats, and watches their order."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from ..signature import ELEMENTS_ID, Verification, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

MOST_BODY = 8 * 1024 * 1024
MOST_REMEMBERED = 100_000
"""Notifications, and objects, of which it is known that they were here."""

_V = TypeVar("_V")


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A notification, repeats and forgeries included.

    `reason` says why it is not verified; `events` are as they stand in the body; `out_of_order` holds those that came
    after a later event of the same object.
    """

    id: str
    verified: bool
    reason: str
    duplicate: bool
    events: Sequence[Mapping[str, Any]]
    out_of_order: Sequence[Mapping[str, Any]]
    body: bytes


class Receiver:
    """Answers `status` to what it could read and verify, 401 to what is not signed as it should be, 400 to the rest.

    Without `keys` nothing is verified, and nothing refused for it. `on_notification` is called for one notification
    at a time; where it fails, the answer is 500, and the notification counts as new when it comes again.
    """

    def __init__(
        self,
        keys: Sequence[bytes],
        on_notification: Callable[[Received], None],
        *,
        status: int = 200,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._on_notification = on_notification
        self._status = status
        self._now = now
        self._ids: dict[Hashable, bool] = {}
        self._sequences: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, text = self._answer(environ)
        body = text.encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        # A 204 has no body, not even an empty one.
        start_response(f"{status} {_phrase(status)}", [] if status == HTTPStatus.NO_CONTENT else headers)
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> tuple[int, str]:
        if environ["REQUEST_METHOD"] != "POST":
            return 405, "send notifications with POST\n"
        body = _read(environ)
        if body is None:
            return 413, f"the body is larger than {MOST_BODY} bytes\n"
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        number = headers.get(ELEMENTS_ID.upper(), "")
        verification = verify(headers, body, self._keys, self._now())
        message = _message(body)
        if self._keys and not verification.verified:
            self._pass_on(number, verification, message or {}, body)
            return 401, f"{verification.reason}\n"
        if message is None or not number:
            return 400, "this is no notification\n"
        self._pass_on(number, verification, message, body)
        return self._status, ""

    def _pass_on(self, number: str, verification: Verification, message: Mapping[str, Any], body: bytes) -> None:
        events = message.get("events", [])
        # A forgery neither makes the true one a repeat, nor has a place in the order.
        trusted = verification.verified or not self._keys
        with self._lock:
            duplicate = trusted and number in self._ids
            reached, late = self._follow(message) if trusted and not duplicate else ({}, [])
            self._on_notification(
                Received(
                    id=number,
                    verified=verification.verified,
                    reason=verification.reason,
                    duplicate=duplicate,
                    events=events,
                    out_of_order=late,
                    body=body,
                )
            )
            if trusted:
                _remember(self._ids, number, True)
            for key, sequence in reached.items():
                _remember(self._sequences, key, sequence)

    def _follow(self, message: Mapping[str, Any]) -> tuple[dict[Hashable, int], list[Mapping[str, Any]]]:
        """How far the objects get with these events, and the events that are behind."""
        reached: dict[Hashable, int] = {}
        late = []
        for event in message["events"]:
            sequence = event.get("sequence")
            if not isinstance(sequence, int):
                continue
            key = (str(message.get("instanceId")), str(event.get("objectType")), str(event.get("objectId")))
            last = reached.get(key, self._sequences.get(key, 0))
            if sequence <= last:
                late.append(event)
            reached[key] = max(sequence, last)
        return reached, late


def _read(environ: Mapping[str, Any]) -> bytes | None:
    """The body, or None where it is too large; one without a length is read where the server knows its end."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdigit():
        most = int(length)
        if most > MOST_BODY:
            return None
    else:
        most = MOST_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(most)
    return body if len(body) <= MOST_BODY else None


def _message(body: bytes) -> Mapping[str, Any] | None:
    """The `message` of an envelope, with a list of events; None where the body holds none."""
    try:
        message: Mapping[str, Any] = json.loads(body)["message"]
        events = message["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_list = isinstance(message, dict) and isinstance(events, list)
    return message if is_list and all(isinstance(event, dict) for event in events) else None


def _remember(known: dict[Hashable, _V], key: Hashable, value: _V) -> None:
    known.pop(key, None)
    known[key] = value
    if len(known) > MOST_REMEMBERED:
        del known[next(iter(known))]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
