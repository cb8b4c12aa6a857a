"""The WSGI application: which part of the instance answers, and a note of what it answered."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from connectory.testing.sandbox import Entry, utc_now

from . import api, outages, pages, wire
from .call import Call
from .control import Control
from .faults import Fault
from .instance import Instance
from .people import People
from .switches import Switches

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SECRETS = frozenset({"token", "access_token", "refresh_token", "client_secret", "password", "code"})


class Sandbox(Instance):
    """A fake ServiceNow: a WSGI application with its state at hand."""

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        customer_service: bool = False,
    ) -> None:
        super().__init__(clock, seed, switches, customer_service)
        self.people = People(self, seed)
        self.control = Control(self, self.people)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Leaving the request closes the files that were uploaded with it.
        with Request(environ) as request:
            reply = _respond(self, request)
        return reply(environ, start_response)

    @property
    def wsgi(self) -> "Sandbox":
        return self


def _respond(sandbox: Sandbox, request: Request) -> Response:
    if request.path.startswith("/_sandbox"):
        return sandbox.control.answer(request)
    # A body is read before the lock is taken, so that a slow sender keeps nobody waiting.
    request.get_data(parse_form_data=True)
    if request.path.startswith("/api/"):
        return _counted(sandbox, request)
    with sandbox.lock:
        return _answer(sandbox, request)


def _counted(sandbox: Sandbox, request: Request) -> Response:
    """One call of the API, counted from here until its last byte is out."""
    running, allowed = sandbox.running.enter(), sandbox.switches.semaphore
    try:
        with sandbox.lock:
            is_full = allowed is not None and running > allowed
            reply = _finished(sandbox, request, outages.busy()) if is_full else _answer(sandbox, request)
    except BaseException:
        sandbox.running.leave()
        raise
    reply.call_on_close(sandbox.running.leave)
    return reply


def _answer(sandbox: Sandbox, request: Request) -> Response:
    sandbox.settle()
    if len(request.path) + len(request.query_string) > sandbox.switches.longest_url:
        return _finished(sandbox, request, pages.too_long())
    if request.path.startswith("/api/"):
        faults = sandbox.faults.draw("api")
        reply, call = api.answer(sandbox, request, faults)
        sandbox.people.run(sandbox.switches.steps_per_call)
        return _finished(sandbox, request, reply, faults, call)
    if request.path == sandbox.oauth.token_path:
        faults = sandbox.faults.draw("token")
        return _finished(sandbox, request, _token(sandbox, request, faults), faults)
    return _finished(sandbox, request, _page(sandbox, request))


def _token(sandbox: Sandbox, request: Request, faults: tuple[Fault, ...]) -> Response:
    sleeping = outages.outage(sandbox.switches, faults, sandbox.clock.now())
    return sleeping or sandbox.oauth.token(request, faults)


def _page(sandbox: Sandbox, request: Request) -> Response:
    doors = {
        sandbox.oauth.authorize_path: sandbox.oauth.authorize,
        sandbox.oauth.revoke_path: sandbox.oauth.revoke,
    }
    door = doors.get(request.path)
    if door is None:
        return pages.message("Page not found", 404)
    return outages.outage(sandbox.switches, (), sandbox.clock.now()) or door(request)


def _finished(
    sandbox: Sandbox,
    request: Request,
    reply: Response,
    faults: tuple[Fault, ...] = (),
    call: Call | None = None,
) -> Response:
    sandbox.log.add(_entry(sandbox, request, reply, faults, call))
    return wire.finish(reply, request, sandbox.switches, faults, sandbox.clock.now())


def _entry(sandbox: Sandbox, request: Request, reply: Response, faults: tuple[Fault, ...], call: Call | None) -> Entry:
    return Entry(
        at=sandbox.clock.now(),
        method=request.method,
        path=request.path,
        params={name: value for name, value in request.args.items() if name not in _SECRETS},
        status=reply.status_code,
        user=call.user["user_name"] if call else "",
        grant=request.form.get("grant_type", ""),
        faults=tuple(fault.kind for fault in faults),
        rows=call.rows if call else None,
    )
