"""The REST API: routes, authentication, limits, and the choice of the handler."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from connectory import sandbox as base

from . import attachments, batch, stats, tableapi
from .budget import over_budget
from .call import Call
from .instance import Instance
from .replies import ApiError, error_reply, no_resource, not_authenticated
from .stamps import to_stamp
from .store import Record
from .xml import as_xml, wants_xml

Handler = Callable[..., Response]

_HANDLERS: dict[str, dict[str, Handler]] = {
    "/table/<table>": {"GET": tableapi.list_records, "POST": tableapi.create_record},
    "/table/<table>/<sys_id>": {
        "GET": tableapi.get_record,
        "PUT": tableapi.change_record,
        "PATCH": tableapi.change_record,
        "DELETE": tableapi.delete_record,
    },
    "/stats/<table>": {"GET": stats.aggregate},
    "/batch": {"POST": batch.serve},
    "/attachment": {"GET": attachments.list_attachments},
    "/attachment/file": {"POST": attachments.create_from_body},
    "/attachment/upload": {"POST": attachments.create_from_form},
    "/attachment/<sys_id>": {
        "GET": attachments.get_attachment,
        "PUT": attachments.rename,
        "PATCH": attachments.rename,
        "DELETE": attachments.delete,
    },
    "/attachment/<sys_id>/file": {"GET": attachments.get_file},
}


def _rules() -> Iterable[Rule]:
    for path, verbs in _HANDLERS.items():
        for method, handler in verbs.items():
            for version in ("", "/<any(v1,v2):version>"):
                yield Rule(f"/api/now{version}{path}", endpoint=handler, methods=[method])


_ADDRESSES = Map(_rules(), strict_slashes=False)


def answer(instance: Instance, visit: base.Call) -> Response:
    """Answer a request; the user and the number of listed rows are noted in `visit`."""
    person = caller(instance, visit.request)
    if person is None:
        return _refusal(instance)
    call = Call(
        instance=instance,
        request=visit.request,
        person=person,
        user=person["user_name"],
        faults=visit.faults,
    )
    reply = _within_budget(call)
    visit.user, visit.rows = call.user, call.rows
    reply.headers["X-Is-Logged-In"] = "true"
    if wants_xml(visit.request):
        as_xml(reply)
    return reply


def caller(instance: Instance, request: Request) -> Record | None:
    given = request.authorization
    if given is None or instance.switches.oauth.mfa_required:
        return None
    if given.type == "basic":
        return instance.active_user(instance.log_in(given.username or "", given.password or ""))
    return instance.active_user(instance.authority.user_of(given.token or "")) if given.type == "bearer" else None


def _refusal(instance: Instance) -> Response:
    reply = error_reply(not_authenticated())
    reply.headers["WWW-Authenticate"] = 'BASIC realm="Service-now"'
    reply.headers["X-Is-Logged-In"] = "false"
    if instance.switches.oauth.mfa_required:
        reply.headers["X-MFA_TOKEN"] = "invalid"
    return reply


def _within_budget(call: Call) -> Response:
    rule = call.switches.rate_limit
    if rule is None:
        return _touching_user(call)
    charge = call.instance.budget.charge(call.person.sys_id, rule, call.instance.clock.now())
    wait = charge.seconds_to_wait
    reply = over_budget(call.instance.error, rule.limit, wait) if wait else _touching_user(call)
    reply.headers.update(charge.headers)
    return reply


def _touching_user(call: Call) -> Response:
    reply = _reply(call)
    if call.switches.touch_own_user:
        now = to_stamp(call.instance.clock.now())
        values = {"last_login_time": now, "last_login": now[:10]}
        call.instance.business.update("sys_user", call.person.sys_id, values, by=call.user)
    return reply


def _reply(call: Call) -> Response:
    try:
        if call.switches.oauth.api_scope_missing:
            raise ApiError(403, "Missing required api access scope")
        _require_acceptable(call.request)
        return _handled(call)
    except ApiError as error:
        return error_reply(error)


def _handled(call: Call) -> Response:
    handler, values = _find_handler(call.request)
    call.version = values.pop("version", "")
    call.serve = lambda inner: _reply(replace(call, request=inner, faults=(), serve=None))
    return handler(call, **values)


def _find_handler(request: Request) -> tuple[Handler, dict[str, Any]]:
    override = request.headers.get("X-http-method-override", "").upper() if request.method == "POST" else ""
    try:
        handler, values = _ADDRESSES.bind_to_environ(request.environ).match(method=override or request.method)
    except MethodNotAllowed as error:
        raise ApiError(405, "Method not supported", f"{request.method} is not allowed here") from error
    except HTTPException as error:
        raise no_resource() from error
    return handler, dict(values)


def _require_acceptable(request: Request) -> None:
    wanted = request.accept_mimetypes
    understood = wanted.accept_json or wanted["application/xml"]
    if wanted and not understood and not request.path.endswith("/file"):
        raise ApiError(406, "Not acceptable", f"{request.headers.get('Accept')} is not available")
