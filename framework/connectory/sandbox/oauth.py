"""An OAuth2 server: a login page, a consent page, and the endpoints for tokens."""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from .authority import Authority, Code, Granted, OAuthClient, OAuthSwitches, TokenRefusedError, TokenRequest
from .replies import html_reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .faults import Fault

COOKIE = "sandbox_session"


def rfc_refusal(error: TokenRefusedError) -> Response:
    """The error body of RFC 6749.

    >>> refused = rfc_refusal(TokenRefusedError("invalid_grant", "the code is unknown, used or expired"))
    >>> refused.status_code, refused.json
    (400, {'error': 'invalid_grant', 'error_description': 'the code is unknown, used or expired'})
    """
    status = 401 if error.error == "invalid_client" else 400
    return json_reply({"error": error.error, "error_description": error.description}, status)


def no_fields(_: Any) -> Mapping[str, Any]:
    return {}


@dataclass(kw_only=True)
class OAuth2Server:
    """The paths of the endpoints, and the peculiarities of the provider's pages and answers.

    `user_field`, `password_field` and `guard_field` are the names of inputs, which scripts that log in look for.
    `refusal` turns an error into an answer of the token endpoint, `token_fields` adds fields to a token answer, and
    `redirect_fields` adds parameters to the URL that a code is sent to. `authority.switches` are the settings.

    >>> from connectory.sandbox import Clock
    >>> server = OAuth2Server(
    ...     authority=Authority(clock=Clock(), switches=OAuthSwitches(access_ttl=300)),
    ...     token_path="/token",
    ...     token_fields=lambda granted: {"account": granted.access.user},
    ... )
    >>> server.client.client_id, server.switches.access_ttl, server.authorize_path
    ('sandbox-client', 300, '/oauth/authorize')
    """

    authority: Authority
    authorize_path: str = "/oauth/authorize"
    token_path: str = "/oauth/token"
    revoke_path: str | None = "/oauth/revoke"
    user_field: str = "username"
    password_field: str = "password"
    guard_field: str = "guard"
    refusal: Callable[[TokenRefusedError], Response] = rfc_refusal
    token_fields: Callable[[Granted], Mapping[str, Any]] = no_fields
    redirect_fields: Callable[[Request], Mapping[str, str]] = no_fields
    revoked: Callable[[], Response] = lambda: json_reply({})
    sessions: dict[str, str] = field(default_factory=dict)
    """Logged-in users by the value of their session cookie."""

    @property
    def switches(self) -> OAuthSwitches:
        return self.authority.switches

    @switches.setter
    def switches(self, switches: OAuthSwitches) -> None:
        self.authority.switches = switches

    @property
    def client(self) -> OAuthClient:
        """The first client; it is registered if there is none yet."""
        return next(iter(self.authority.clients.values()), None) or self.authority.register(OAuthClient())

    # Login and consent

    def authorize(self, request: Request) -> Response:
        flow = self.begin(request)
        if isinstance(flow, Response):
            return flow
        user = self.sessions.get(request.cookies.get(COOKIE, ""), "")
        return self._ask(flow, user) if user and self.authority.is_active(user) else self._log_in(request)

    def begin(self, request: Request) -> Flow | Response:
        """The request for consent; an answer if it is refused."""
        arguments = request.args
        client = self.authority.clients.get(arguments.get("client_id", ""))
        redirect_uri = "" if client is None else client.redirect_for(arguments.get("redirect_uri", ""))
        # If the client or the URL is wrong, the browser must not be redirected anywhere.
        if client is None or not redirect_uri:
            return self.error_page("invalid client_id or redirect_uri")
        flow = Flow(request=request, client=client, redirect_uri=redirect_uri)
        if arguments.get("response_type") != "code":
            return flow.answer(error="unsupported_response_type")
        if self.switches.state_required and not flow.state:
            return self.error_page("state is missing")
        method = arguments.get("code_challenge_method", "plain")
        challenged = bool(arguments.get("code_challenge")) and (method == "S256" or self.switches.pkce_plain)
        if self.switches.pkce == "required" and not challenged:
            return self.without_challenge(flow)
        return flow

    def _log_in(self, request: Request) -> Response:
        form = request.form
        if self.user_field not in form:
            return self.login_page(request)
        user = self.authority.log_in(form[self.user_field], form.get(self.password_field, ""))
        if not user:
            return self.login_page(request, "User name or password invalid")
        session = secrets.token_hex(16)
        self.sessions[session] = user
        reply = Response(status=302, headers={"Location": request.full_path})
        reply.set_cookie(COOKIE, session, httponly=True, samesite="Lax")
        return reply

    def _ask(self, flow: Flow, user: str) -> Response:
        request = flow.request
        # The form carries a secret of the session, so that another site cannot submit it.
        guard = request.cookies[COOKIE][::-1]
        answer = request.form.get("answer", "")
        if request.method != "POST" or request.form.get(self.guard_field) != guard or not answer:
            return self.consent_page(flow, user, guard)
        if answer != "allow":
            return flow.answer(error="access_denied")
        code = self.authority.issue_code(
            Code(
                client_id=flow.client.client_id,
                user=user,
                redirect_uri=request.args.get("redirect_uri", ""),
                expires_at=self.authority.clock.now() + timedelta(seconds=self.switches.code_ttl),
                scope=request.args.get("scope") or self.switches.scope,
                challenge="" if self.switches.pkce == "off" else request.args.get("code_challenge", ""),
                is_plain=self.switches.pkce_plain and request.args.get("code_challenge_method", "plain") == "plain",
            )
        )
        return flow.answer(code=code, **self.redirect_fields(request))

    # Pages and errors, which a provider may override

    def login_page(self, request: Request, complaint: str = "") -> Response:
        """A form that posts to its own URL. `complaint` says why the last try failed."""
        said = f"<p>{html.escape(complaint)}</p>" if complaint else ""
        fields = f'<input name="{self.user_field}"><input name="{self.password_field}" type="password">'
        return _page("Log in", request, f"{said}{fields}<button>Log in</button>")

    def consent_page(self, flow: Flow, user: str, guard: str) -> Response:
        """A form with the button `answer`, which is `allow` or `deny`, and the hidden field of `guard_field`."""
        inside = (
            f"<p>{html.escape(user)}, allow {html.escape(flow.client.client_id)} to read and write your data?</p>"
            f'<input type="hidden" name="{self.guard_field}" value="{guard}">'
            '<button name="answer" value="allow">Allow</button><button name="answer" value="deny">Deny</button>'
        )
        return _page("Allow access", flow.request, inside)

    def error_page(self, text: str) -> Response:
        return html_reply("Error", text, 400)

    def without_challenge(self, flow: Flow) -> Response:
        """The answer to an application that does not use PKCE although it is required."""
        return flow.answer(error="invalid_request", error_description="code_challenge is missing")

    # Tokens

    def token(self, request: Request, faults: tuple[Fault, ...] = ()) -> Response:
        lost = next((fault for fault in faults if fault.kind == "lost_refresh_token"), None)
        try:
            asked = self._asked(request)
            if lost and asked.grant_type == "refresh_token" and lost.value != "reply":
                self.authority.revoke(asked.refresh_token)
            granted = self.authority.grant(asked)
        except TokenRefusedError as error:
            return self.refusal(error)
        return json_reply(self._reply(granted))

    def revoke(self, request: Request) -> Response:
        token = self.authority.revoke(request.values.get("token", ""))
        if token is not None and token.kind == "refresh":
            self.authority.replaced.pop(token.value, None)
        return self.revoked()

    def _asked(self, request: Request) -> TokenRequest:
        if self.switches.body_only and (request.method != "POST" or request.args):
            raise TokenRefusedError("invalid_request", "the parameters must be in the body of a POST request")
        form = MultiDict([*request.form.items(), *request.args.items()])
        client_id, client_secret = self._client_of(request, form)
        names = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "username", "password")
        values = {name: form.get(name, "") for name in names}
        return TokenRequest(client_id=client_id, client_secret=client_secret, **values)

    def _client_of(self, request: Request, form: Mapping[str, str]) -> tuple[str, str]:
        way, basic = self.switches.client_auth, request.authorization
        if basic is not None and basic.type == "basic":
            if way == "body":
                raise TokenRefusedError("invalid_client", "the client must identify itself in the body")
            return basic.username or "", basic.password or ""
        if way == "basic":
            raise TokenRefusedError("invalid_client", "the client must identify itself with HTTP Basic")
        return form.get("client_id", ""), form.get("client_secret", "")

    def _reply(self, granted: Granted) -> dict[str, Any]:
        body: dict[str, Any] = {
            "access_token": granted.access.value,
            "scope": granted.access.scope,
            "token_type": "bearer",
            "expires_in": self.authority.seconds_left(granted.access),
        }
        if granted.refresh is not None and granted.tells_refresh:
            body["refresh_token"] = granted.refresh.value
        return body | dict(self.token_fields(granted))


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One request for consent.

    >>> from werkzeug.test import EnvironBuilder
    >>> request = EnvironBuilder("/oauth/authorize", query_string={"state": "s"}).get_request(Request)
    >>> flow = Flow(request=request, client=OAuthClient(), redirect_uri="https://app.example/done")
    >>> flow.answer(code="c0de").headers["Location"]
    'https://app.example/done?code=c0de&state=s'
    """

    request: Request
    client: OAuthClient
    redirect_uri: str

    @property
    def state(self) -> str:
        return self.request.args.get("state", "")

    def answer(self, **values: str) -> Response:
        """Send the browser back to the application."""
        query = urlencode(values | ({"state": self.state} if self.state else {}))
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return Response(status=302, headers={"Location": f"{self.redirect_uri}{separator}{query}"})


def _page(title: str, request: Request, inside: str) -> Response:
    return html_reply(title, f'<form method="post" action="{html.escape(request.full_path)}">{inside}</form>')
