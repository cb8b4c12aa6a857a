"""The WSGI application: the instance with its API, its faults, and the people who work there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wsgi import ClosingIterator

from connectory.sandbox import Fault, utc_now

from ..address import SUBDOMAIN
from . import api, pages, wire
from .instance import Instance
from .people import People

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug.wrappers import Request, Response

    from connectory.sandbox import Call

    from .switches import Switches

_RUNNING = "sandbox.running"


class Sandbox(Instance):
    """A fake ServiceNow: a WSGI application whose state a test can read and change."""

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        customer_service: bool = False,
    ) -> None:
        super().__init__(clock, seed, switches, customer_service)
        self.people = People(self, seed)
        self.configure = lambda base_url: {SUBDOMAIN: base_url}
        self.finish = wire.finish

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith("/api/"):
            return super().__call__(environ, start_response)
        # A call of the API counts as running from here until its last byte is sent.
        environ[_RUNNING] = self.running.enter()
        try:
            body = super().__call__(environ, start_response)
        except BaseException:
            self.running.leave()
            raise
        return ClosingIterator(body, self.running.leave)

    def handle(self, call: Call) -> Response:
        if call.request.path.startswith("/api/"):
            return api.answer(self, call)
        return pages.message("Page not found", 404)

    def lasting(self, request: Request) -> Iterator[Fault]:
        switches: Switches = self.switches
        if switches.semaphore is not None and request.environ.get(_RUNNING, 0) > switches.semaphore:
            yield Fault("semaphore")
        if len(request.path) + len(request.query_string) > switches.longest_url:
            yield Fault("long_url")
        if switches.hibernate:
            yield Fault("hibernate", switches.hibernate)
        if switches.login_html:
            yield Fault("login_html")
        if switches.bad_gateway:
            yield Fault("bad_gateway")
        if switches.drop_connection:
            yield Fault("dropped")
        if switches.slow:
            yield Fault("slow", str(switches.slow))

    def make_step(self) -> str:
        done = self.people.step()
        return f"{done.change} {done.table} {done.sys_id}"
