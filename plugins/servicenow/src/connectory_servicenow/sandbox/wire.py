"""The last steps of every answer: headers, compression, and damage on the way out."""

import gzip
import secrets
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from werkzeug.wrappers import Request, Response

from .faults import Fault
from .outages import cut, drop, trickle
from .switches import Switches

_COOKIES = ("JSESSIONID", "glide_user_route", "BIGipServerpool_sandbox")
_NEVER_STORE = {
    "Cache-Control": "no-cache,no-store,must-revalidate,max-age=-1",
    "Pragma": "no-store,no-cache",
    "Expires": "0",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Server": "ServiceNow",
}
_TYPES = {
    "application/json": "application/json;charset=UTF-8",
    "text/html; charset=utf-8": "text/html;charset=UTF-8",
}
_WORTH_COMPRESSING = 1000


def finish(reply: Response, request: Request, switches: Switches, faults: Iterable[Fault], now: datetime) -> Response:
    by_kind = {fault.kind: fault for fault in faults}
    if fault := by_kind.get("cut_json"):
        cut(reply, fault.number(0.6))
    _label(reply, request, now)
    _compress(reply, request)
    if switches.drop_connection or "dropped" in by_kind or _loses_reply(by_kind.get("lost_refresh_token")):
        drop(reply)
    seconds = by_kind["slow"].number(1) if "slow" in by_kind else switches.slow
    if seconds:
        trickle(reply, seconds)
    return reply


def _loses_reply(fault: Fault | None) -> bool:
    return fault is not None and fault.value == "reply"


def _label(reply: Response, request: Request, now: datetime) -> None:
    # A file keeps the type that it was uploaded with.
    if reply.content_type in _TYPES and not request.path.endswith("/file"):
        reply.content_type = _TYPES[reply.content_type]
    reply.headers.update(_NEVER_STORE)
    reply.headers["Date"] = format_datetime(now, usegmt=True)
    reply.headers["X-Transaction-ID"] = secrets.token_hex(6)
    for name in _COOKIES:
        reply.set_cookie(name, secrets.token_hex(16), httponly=True)


def _compress(reply: Response, request: Request) -> None:
    if not request.accept_encodings["gzip"] or "Content-Encoding" in reply.headers:
        return
    body = reply.get_data()
    if len(body) >= _WORTH_COMPRESSING:
        # The fastest level already shrinks records tenfold.
        reply.set_data(gzip.compress(body, compresslevel=1, mtime=0))
        reply.headers["Content-Encoding"] = "gzip"
        reply.headers["Vary"] = "Accept-Encoding"
