"""The pages and addresses of the OAuth server: log in, allow or deny, exchange, revoke."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from connectory.testing.sandbox import json_reply

from . import pages
from .authority import Granted, OAuthClient, TokenRefusedError, TokenRequest
from .faults import Fault
from .instance import Instance

COOKIE = "glide_session"


@dataclass(frozen=True)
class Flow:
    """One visit of the authorize page."""

    instance: Instance
    request: Request
    client: OAuthClient
    redirect_uri: str

    @property
    def state(self) -> str:
        return self.request.args.get("state", "")

    @property
    def challenge(self) -> str:
        off = self.instance.switches.oauth.pkce == "off"
        return "" if off else self.request.args.get("code_challenge", "")

    def answer(self, **values: str) -> Response:
        """Send the browser back to the application."""
        query = urlencode(values | ({"state": self.state} if self.state else {}))
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return Response(status=302, headers={"Location": f"{self.redirect_uri}{separator}{query}"})


def authorize(instance: Instance, request: Request) -> Response:
    flow = _begin(instance, request)
    if isinstance(flow, Response):
        return flow
    user_id = instance.authority.sessions.get(request.cookies.get(COOKIE, ""), "")
    if not user_id or not instance.active_user(user_id):
        return _log_in(flow)
    return _ask_for_consent(flow, user_id)


def _begin(instance: Instance, request: Request) -> Flow | Response:
    arguments, switches = request.args, instance.switches.oauth
    client = instance.authority.clients.get(arguments.get("client_id", ""))
    if arguments.get("response_type") != "code" or client is None:
        return pages.message("Invalid client_id or response_type", 400)
    if switches.state_required and not arguments.get("state"):
        return pages.message("Missing State parameter in request", 400)
    redirect_uri = client.redirect_for(arguments.get("redirect_uri", ""))
    if not redirect_uri:
        return pages.message("Invalid redirect_uri", 400)
    flow = Flow(instance, request, client, redirect_uri)
    if switches.pkce == "required" and not _has_challenge(arguments):
        return flow.answer(error="invalid_request")
    return flow


def _has_challenge(arguments: MultiDict[str, str]) -> bool:
    return bool(arguments.get("code_challenge")) and arguments.get("code_challenge_method") == "S256"


def _log_in(flow: Flow) -> Response:
    form = flow.request.form
    if "user_name" not in form:
        return pages.login(flow.request.full_path)
    user_id = flow.instance.log_in(form["user_name"], form.get("user_password", ""))
    if not user_id:
        return pages.login(flow.request.full_path, "User name or password invalid")
    session = secrets.token_hex(16)
    flow.instance.authority.sessions[session] = user_id
    reply = Response(status=302, headers={"Location": flow.request.full_path})
    reply.set_cookie(COOKIE, session, httponly=True, samesite="Lax")
    return reply


def _ask_for_consent(flow: Flow, user_id: str) -> Response:
    # The session's own secret in the form keeps other sites from pressing Allow.
    guard = flow.request.cookies[COOKIE][::-1]
    answer = flow.request.form.get("answer", "")
    if flow.request.method != "POST" or flow.request.form.get("sysparm_ck") != guard or not answer:
        user = flow.instance.active_user(user_id)
        return pages.consent(flow.request.full_path, flow.client.client_id, user["name"] if user else "", guard)
    if answer != "allow":
        return flow.answer(error="access_denied")
    asked_for = flow.request.args.get("redirect_uri", "")
    code = flow.instance.authority.issue_code(flow.client, user_id, asked_for, flow.challenge)
    return flow.answer(code=code)


def token(instance: Instance, request: Request, faults: tuple[Fault, ...] = ()) -> Response:
    lost = next((fault for fault in faults if fault.kind == "lost_refresh_token"), None)
    try:
        asked = _token_request(instance, request)
        if lost and asked.grant_type == "refresh_token" and lost.value != "reply":
            instance.authority.revoke(asked.refresh_token)
        granted = instance.authority.grant(asked)
    except TokenRefusedError:
        return json_reply({"error_description": "access_denied", "error": "server_error"}, 401)
    return _token_reply(instance, granted, asked.grant_type)


def _token_request(instance: Instance, request: Request) -> TokenRequest:
    client_id, client_secret = _client_credentials(instance, request)
    form = _parameters(instance, request)
    names = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "username", "password")
    values = {name: form.get(name, "") for name in names}
    return TokenRequest(client_id=client_id, client_secret=client_secret, **values)


def _parameters(instance: Instance, request: Request) -> MultiDict[str, str]:
    parameters = MultiDict(request.form)
    if request.args:
        if instance.switches.oauth.body_only:
            raise TokenRefusedError("parameters belong into the body")
        parameters.update(request.args)
    return parameters


def _client_credentials(instance: Instance, request: Request) -> tuple[str, str]:
    way = instance.switches.oauth.client_auth
    basic = request.authorization
    if basic and basic.type == "basic":
        if way == "body":
            raise TokenRefusedError("the client must identify itself in the body")
        return basic.username or "", basic.password or ""
    form = _parameters(instance, request)
    if way == "basic":
        raise TokenRefusedError("the client must identify itself with HTTP Basic")
    return form.get("client_id", ""), form.get("client_secret", "")


def _token_reply(instance: Instance, granted: Granted, grant_type: str) -> Response:
    switches = instance.switches.oauth
    body: dict[str, str | int] = {
        "scope": switches.scope,
        "token_type": "Bearer",
        "expires_in": instance.authority.seconds_left(granted.access),
        "access_token": granted.access.value,
    }
    repeats = grant_type != "refresh_token" or switches.refresh_reply_has_refresh_token or switches.rotate_refresh
    if granted.refresh and repeats:
        body["refresh_token"] = granted.refresh.value
    return json_reply(body)


def revoke(instance: Instance, request: Request) -> Response:
    instance.authority.revoke(request.values.get("token", ""))
    return Response(status=200)
