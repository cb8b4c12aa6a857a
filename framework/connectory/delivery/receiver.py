"""The receiving end: a WSGI application that verifies notifications, knows repeats, and watches their order."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .signature import ELEMENTS_ID, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MOST_BODY = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """`reason` says why it is not verified; `out_of_order` holds the events that came after a later one."""

    id: str
    verified: bool
    reason: str
    duplicate: bool
    events: Sequence[Mapping[str, Any]]
    out_of_order: Sequence[Mapping[str, Any]]
    body: bytes


class Receiver:
    """Answers 200 (or `status`) to what it could read and verify, 401 to what is not signed as it should be.

    `keys` empty: signatures are not asked for. `on_notification` is called for each, repeats included.
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
        self._ids: set[str] = set()
        self._sequences: dict[tuple[Any, ...], int] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, text = self._take(environ)
        body = text.encode()
        start_response(
            f"{status} {'OK' if status < 300 else 'Refused'}",
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
        )
        return [body]

    def _take(self, environ: Mapping[str, Any]) -> tuple[int, str]:
        if environ["REQUEST_METHOD"] != "POST":
            return 405, "send notifications with POST\n"
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if not length.isdigit() or int(length) > MOST_BODY:
            return 413, "the body is too large, or has no length\n"
        body = environ["wsgi.input"].read(int(length))
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        try:
            events = json.loads(body)["message"]["events"]
        except (ValueError, KeyError, TypeError):
            return 400, "this is no notification\n"
        received = self._judge(headers, body, events)
        self._on_notification(received)
        return (self._status, "") if received.verified else (401, f"{received.reason}\n")

    def _judge(self, headers: Mapping[str, str], body: bytes, events: Sequence[Mapping[str, Any]]) -> Received:
        reason = verify(headers, body, self._keys, self._now()).reason if self._keys else ""
        number = headers.get(ELEMENTS_ID.upper(), "")
        with self._lock:
            duplicate = number in self._ids
            late = [] if duplicate or reason else [event for event in events if not self._advances(body, event)]
            if not reason:
                self._ids.add(number)
        return Received(
            id=number,
            verified=not reason,
            reason=reason,
            duplicate=duplicate,
            events=events,
            out_of_order=late,
            body=body,
        )

    def _advances(self, body: bytes, event: Mapping[str, Any]) -> bool:
        """Whether an event comes after all that were received of its object."""
        instance = json.loads(body)["message"].get("instanceId")
        key = (instance, event.get("objectType"), event.get("objectId"))
        sequence = int(event.get("sequence", 0))
        if sequence <= self._sequences.get(key, 0):
            return False
        self._sequences[key] = sequence
        return True
