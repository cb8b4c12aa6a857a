"""Answers that come instead of the real one, and damage to one on its way out."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from werkzeug.wrappers import Response

from . import pages
from .faults import Fault
from .replies import ApiError, error_reply
from .switches import RateLimit, Switches


def outage(switches: Switches, faults: Iterable[Fault], now: datetime) -> Response | None:
    """What the caller gets instead of an answer; None when the instance works."""
    by_kind = {fault.kind: fault for fault in faults}
    if fault := by_kind.get("hibernate"):
        return _asleep(fault.value)
    if switches.hibernate:
        return _asleep(switches.hibernate)
    if switches.login_html or "login_html" in by_kind:
        return pages.login("/login.do")
    if switches.bad_gateway or "bad_gateway" in by_kind:
        return pages.bad_gateway()
    if fault := by_kind.get("server_error"):
        return pages.server_error(int(fault.number(500)))
    if fault := by_kind.get("rate_limited"):
        return _rate_limited(fault, now)
    return busy() if "semaphore" in by_kind else None


def _asleep(how: str) -> Response:
    return pages.wake_up_elsewhere() if how == "redirect" else pages.hibernating()


def busy() -> Response:
    """All semaphores are taken. Nothing says when to come back."""
    return Response("", status=429, content_type="text/html;charset=UTF-8")


def over_budget(limit: int, seconds: int) -> Response:
    detail = f"Rejected because the number of requests exceeded limit of {limit} per hour for REST Table API"
    reply = error_reply(ApiError(429, "Rate limit exceeded", detail))
    reply.headers["Retry-After"] = str(seconds)
    return reply


def _rate_limited(fault: Fault, now: datetime) -> Response:
    rule, seconds = RateLimit(), int(fault.number(30))
    reply = over_budget(rule.limit, seconds)
    reply.headers["X-RateLimit-Limit"] = str(rule.limit)
    reply.headers["X-RateLimit-Reset"] = str(int(now.timestamp()) + seconds)
    reply.headers["X-RateLimit-Rule"] = rule.rule
    return reply


def cut(reply: Response, share: float) -> None:
    """Keep the beginning of the body, as if it were all."""
    body = reply.get_data()
    reply.set_data(body[: int(len(body) * share)])


def drop(reply: Response) -> None:
    """Promise the whole body and stop in the middle of it, at which the server closes the connection."""
    body = reply.get_data()
    reply.response = [body[: len(body) // 2]]
    reply.headers["Content-Length"] = str(max(len(body), 1))


def trickle(reply: Response, seconds: float, pieces: int = 5) -> None:
    size = reply.headers["Content-Length"]
    reply.response = _slowly(b"".join(reply.iter_encoded()), seconds, pieces)
    reply.headers["Content-Length"] = size


def _slowly(body: bytes, seconds: float, pieces: int) -> Iterator[bytes]:
    step = len(body) // pieces + 1
    for start in range(0, len(body) or 1, step):
        time.sleep(seconds / pieces)
        yield body[start : start + step]
