"""Reads the body of a notification, within a limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BODY = 8 * 1024 * 1024
"""Bytes; a larger body is refused."""


def read_body(environ: Mapping[str, Any]) -> bytes | None:
    """The body of a WSGI request; None if it is too large.

    A body without a length, as in a chunked request, is read only if the server marks its end
    (`wsgi.input_terminated`); otherwise it counts as empty.
    """
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length.isdigit():
        most = int(length)
        if most > MOST_BODY:
            return None
    else:
        most = MOST_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(most)
    return body if len(body) <= MOST_BODY else None


def message_of(body: bytes) -> Mapping[str, Any] | None:
    """The `message` of a notification, with its list of events; None if the body is not a notification."""
    try:
        message: Mapping[str, Any] = json.loads(body)["message"]
        events = message["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_list = isinstance(message, dict) and isinstance(events, list)
    return message if is_list and all(isinstance(event, dict) for event in events) else None
