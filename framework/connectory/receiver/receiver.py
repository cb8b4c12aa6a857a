"""A WSGI application that verifies notifications, recognises repeats, and checks the order of events."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..signature import ELEMENTS_ID, Verification, verify
from .bodies import MOST_BODY, message_of, read_body
from .memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A notification, which may be a repeat or a forgery.

    `reason` says why it is not verified. `events` are the events of the body, and `out_of_order` those of them that
    came after a later event of the same object.
    """

    id: str
    verified: bool
    reason: str
    duplicate: bool
    events: Sequence[Mapping[str, Any]]
    out_of_order: Sequence[Mapping[str, Any]]
    body: bytes


class Receiver:
    """Answers `status` to a verified notification, 401 if the signature is wrong, and 400 to anything else.

    Without `keys`, signatures are not checked and every notification is accepted. `on_notification` is called for one
    notification at a time. If it fails, the answer is 500, and the notification counts as new when it is sent again.
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
        self._memory = Memory()
        self._lock = threading.Lock()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, text = self._answer(environ)
        body = text.encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "POST"))
        # A 204 must not have the headers of a body.
        start_response(f"{status} {_phrase(status)}", [] if status == HTTPStatus.NO_CONTENT else headers)
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> tuple[int, str]:
        if environ["REQUEST_METHOD"] != "POST":
            return 405, "notifications must be sent with POST\n"
        body = read_body(environ)
        if body is None:
            return 413, f"the body is larger than {MOST_BODY} bytes\n"
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        notification_id = headers.get(ELEMENTS_ID.upper(), "")
        verification = verify(headers, body, self._keys, self._now())
        message = message_of(body)
        if self._keys and not verification.verified:
            self._pass_on(notification_id, verification, message, body)
            return 401, f"{verification.reason}\n"
        if message is None or not notification_id:
            return 400, "the body is not a notification, or the header Elements-Webhook-Id is missing\n"
        self._pass_on(notification_id, verification, message, body)
        return self._status, ""

    def _pass_on(
        self, notification_id: str, verification: Verification, message: Mapping[str, Any] | None, body: bytes
    ) -> None:
        # Do not remember a forgery, or the genuine notification would count as a repeat, and its events as late.
        trusted = message if verification.verified or not self._keys else None
        with self._lock:
            duplicate = trusted is not None and self._memory.knows(notification_id)
            new = None if duplicate else trusted
            self._on_notification(
                Received(
                    id=notification_id,
                    verified=verification.verified,
                    reason=verification.reason,
                    duplicate=duplicate,
                    events=[] if message is None else message["events"],
                    out_of_order=[] if new is None else self._memory.late(new),
                    body=body,
                )
            )
            if trusted is not None:
                self._memory.remember(notification_id, new)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
