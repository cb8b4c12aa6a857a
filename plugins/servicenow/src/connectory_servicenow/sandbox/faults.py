"""The faults of an instance: those of the base in ServiceNow's format, and its own kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from connectory import sandbox as base
from connectory.sandbox import Kind

from . import pages
from .budget import over_budget
from .switches import RateLimit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectory.sandbox import ErrorReply, Fault


def _asleep(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    return pages.wake_up_elsewhere() if fault.value == "redirect" else pages.hibernating()


def _rate_limited(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    rule, seconds = RateLimit(), int(fault.number(30))
    reply = over_budget(error, rule.limit, seconds)
    reply.headers["X-RateLimit-Limit"] = str(rule.limit)
    reply.headers["X-RateLimit-Reset"] = str(int(now.timestamp()) + seconds)
    reply.headers["X-RateLimit-Rule"] = rule.rule
    return reply


def _busy(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    # No header says when to try again.
    return Response("", status=429, content_type="text/html;charset=UTF-8")


KINDS: Mapping[str, Kind] = {
    **base.KINDS,
    "ignored_query": Kind(description="the conditions and the order of the query are ignored"),
    "partial_200": Kind(
        description="200 with some rows and then an error; the value is the number of rows (half the page)"
    ),
    "hibernate": Kind(
        description="the page of a sleeping instance; the value 'redirect' redirects to another host instead",
        instead=_asleep,
    ),
    "login_html": Kind(
        description="a login page instead of JSON", instead=lambda fault, error, now: pages.login("/login.do")
    ),
    "bad_gateway": Kind(
        description="502 with HTML from the load balancer", instead=lambda fault, error, now: pages.bad_gateway()
    ),
    "rate_limited": Kind(description="429 with Retry-After; the value is its seconds (30)", instead=_rate_limited),
    "semaphore": Kind(description="429 without any header", instead=_busy),
    "server_error": Kind(
        description="500 with HTML; the value is another status",
        instead=lambda fault, error, now: pages.server_error(int(fault.number(500))),
    ),
    "long_url": Kind(
        description="414 with HTML, as for a URL that is too long",
        instead=lambda fault, error, now: pages.too_long(),
    ),
}
