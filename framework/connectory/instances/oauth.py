"""The OAuth2 authorization code flow, and what comes after it: exchange, refresh, the password grant.

requests-oauthlib builds and parses the messages. Its own refreshing is not used: it forwards the arguments of API calls
to the token endpoint, trusts relative expiry, and renews once per thread.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from requests.adapters import BaseAdapter

from ..auth import Token
from ..connections import Sessions, default_sessions, read_body
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectoryError,
    ConsentRefusedError,
    ProviderError,
    RetryLaterError,
)
from ..failures import SENDING_ERRORS, unreachable
from ..model import OAuth2, Pkce, Response, resolve_endpoint, retry_after
from ..schemas import OAUTH_CALLBACK_URL
from ..secrets import Secret, is_oauth_chatter, redactor, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from requests_oauthlib import OAuth2Session

    from ..model import Config

API_KEY = "oauth.api.key"
API_SECRET = "oauth.api.secret"
SCOPE = "oauth.scope"
PKCE = "oauth.pkce"

# Both together are less than the lease under which a token is renewed.
_TIMEOUT = (10.0, 30.0)
_MOST_ANSWER = 1024 * 1024
_TOKEN_FIELDS = {"access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope"}
_MAY_PASS = {"temporarily_unavailable", "server_error", "slow_down"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Authorization:
    """Where to send the person, and what must come back with them."""

    url: str
    state: str
    code_verifier: Secret | None = None


@dataclass(kw_only=True)
class AuthorizationFlow:
    """One instance's login. `now` is the clock."""

    oauth: OAuth2
    config: Config
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sessions: Sessions = field(default_factory=default_sessions)
    _open: dict[str, Authorization] = field(default_factory=dict, repr=False)

    # The consent

    def start(self) -> Authorization:
        """Begin a consent; its `state` is random and good for one `finish`."""
        url, plain = _secured(resolve_endpoint(self.oauth.authorize_url, self.config))
        state = secrets.token_urlsafe(24)
        verifier, challenge = self._pkce()
        session = self._session(scope=self.config.get(SCOPE) or self.oauth.scope)
        built, _ = session.authorization_url(url, state=state, **dict(self.oauth.authorize_params), **challenge)
        authorization = Authorization(url=_plain(built) if plain else built, state=state, code_verifier=verifier)
        self.resume(authorization)
        return authorization

    def resume(self, authorization: Authorization) -> None:
        """Wait for the answer to a consent that another flow object of the same login began."""
        self._open[authorization.state] = authorization

    def finish(self, answer: str, state: str | None = None) -> Token:
        """Exchange what the provider's redirect brought: the whole URL that the browser was sent to.

        A bare code will do where `state` is given, for somebody who copied it from the address bar.
        """
        fields = _answer_fields(answer, state)
        if "error" in fields and "state" not in fields:
            raise _refused(fields)
        authorization = self._close(fields.get("state", ""), state)
        if "error" in fields:
            raise _refused(fields)
        if not fields.get("code"):
            raise AuthenticationError("the provider sent no code back", hint="start the login again")
        return self._exchange(fields["code"], authorization.code_verifier)

    def expects(self, state: str) -> bool:
        """Whether it is that of a login which was started and has not been answered."""
        return any(_same(known, state) for known in self._open)

    def _close(self, came: str, expected: str | None) -> Authorization:
        known = next((state for state in self._open if _same(state, came)), None)
        if known is None or (expected is not None and not _same(expected, came)):
            raise AuthenticationError(
                "the answer belongs to another login, or was used before (its `state` is not the one that was sent)",
                hint="start the login again, and use the window that it opens",
            )
        return self._open.pop(known)

    def _pkce(self) -> tuple[Secret | None, dict[str, str]]:
        if not self._uses_pkce:
            return None, {}
        from oauthlib.oauth2 import WebApplicationClient

        client = WebApplicationClient("")
        verifier = client.create_code_verifier(64)
        challenge = client.create_code_challenge(verifier, "S256")
        return Secret(verifier), {"code_challenge": challenge, "code_challenge_method": "S256"}

    @property
    def _uses_pkce(self) -> bool:
        """Where it is optional, only where it protects more than the client secret does: a code may also be brought
        by somebody who never saw the verifier."""
        if self.oauth.pkce is not Pkce.OPTIONAL:
            return self.oauth.pkce is Pkce.REQUIRED
        return not reveal(self.config.get(API_SECRET)) or str(self.config.get(PKCE)).lower() == "true"

    # Tokens

    def exchange_code(self, code: str, code_verifier: Secret | None = None) -> Token:
        """A code for a token; a code that is still percent-encoded (`GB%2F...`) is decoded first."""
        return self._exchange(unquote(code), code_verifier)

    def _exchange(self, code: str, code_verifier: Secret | None) -> Token:
        verifier: dict[str, Any] = {"code_verifier": code_verifier.reveal()} if code_verifier else {}
        redactor.learn(code, code_verifier)
        return self._ask(
            lambda session, url: session.fetch_token(url, code=code, **self._for_fetching(), **verifier),
            self._session(),
        )

    def refresh(self, token: Token) -> Token:
        """A new pair; the refresh token stays the old one where the provider sends none."""
        if not token.refresh_token:
            raise AuthenticationError("there is no refresh token", hint="a person must log in again")
        old = token.refresh_token.reveal()
        return self._ask(
            lambda session, url: session.refresh_token(url, refresh_token=old, **self._for_refreshing()),
            self._session(),
        )

    def password(self, username: str, password: Secret) -> Token:
        """The password grant, for providers that still have it."""
        from oauthlib.oauth2 import LegacyApplicationClient

        redactor.learn(password)
        return self._ask(
            lambda session, url: session.fetch_token(
                url, username=username, password=password.reveal(), **self._for_fetching()
            ),
            self._session(client=LegacyApplicationClient(str(self.config[API_KEY]))),
        )

    def _ask(self, call: Callable[[OAuth2Session, str], Any], session: OAuth2Session) -> Token:
        from oauthlib.oauth2 import OAuth2Error

        url, plain = _secured(resolve_endpoint(self.oauth.token_url, self.config))
        session.mount("https://", _TokenTransport(self.sessions, plain=plain))
        for hook in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(hook, self._check)
        asked_at = self.now()
        try:
            return _token(call(session, url), asked_at)
        except OAuth2Error as error:
            # Whatever the answer was, `_check` has passed it; so it is the request that the library refuses.
            raise ConfigurationError(f"this cannot be sent to the token endpoint: {error.description}") from None

    def _session(self, scope: str | None = None, client: Any = None) -> OAuth2Session:
        """Without a scope for tokens: to the library, a grant of another scope than was asked for is an exception."""
        from requests_oauthlib import OAuth2Session

        # It writes tokens and the client secret into its debug log, whatever handlers there are.
        logging.getLogger("requests_oauthlib.oauth2_session").addFilter(_is_fit_to_log)
        session = OAuth2Session(
            None if client else str(self.config[API_KEY]),
            client=client,
            # The library would send it along with every grant.
            redirect_uri=None if client else self.config.get(OAUTH_CALLBACK_URL) or None,
            scope=scope,
        )
        session.trust_env = False
        return session

    def _for_fetching(self) -> dict[str, Any]:
        identified = self._for_refreshing()
        return identified if "auth" in identified else {"include_client_id": True, **_without(identified, "client_id")}

    def _for_refreshing(self) -> dict[str, Any]:
        """How the client says who it is: a public one, without a secret, can only do so in the body."""
        from requests.auth import HTTPBasicAuth

        key, secret = str(self.config[API_KEY]), reveal(self.config.get(API_SECRET))
        redactor.learn(secret)
        if not secret:
            return {"client_id": key}
        if self.oauth.client_auth == "basic":
            return {"auth": HTTPBasicAuth(key.encode(), secret.encode())}
        return {"client_id": key, "client_secret": secret}

    def _check(self, answer: requests.Response) -> requests.Response:
        """Say what an answer of the token endpoint means, before the library takes it apart."""
        response = Response(status=answer.status_code, headers=answer.headers, body=answer.content)
        where = urlsplit(str(answer.url)).netloc
        fields = _json_object(response)
        if response.content_type.endswith("html") or (fields is None and response.status < 300):
            raise RetryLaterError(
                "the token endpoint answered with something else than a token",
                where=where,
                hint="the provider may be asleep or down for maintenance: open it in a browser, then try again",
                provider_status=response.status,
            )
        if response.status >= 300 or not fields or not fields.get("access_token"):
            raise self._refusal(response, fields or {}, where)
        answer._content = msgspec.json.encode(_cleaned(fields))
        return answer

    def _refusal(self, response: Response, fields: dict[str, Any], where: str) -> ConnectoryError:
        said = _said(fields)
        reason = f"the token endpoint answered {response.status}{f': {said}' if said else ''}"
        passing = response.status == 429 or response.status >= 500
        if response.status < 300:
            passing = not fields.get("error") or fields["error"] in _MAY_PASS
        if passing:
            return RetryLaterError(
                reason,
                where=where,
                retry_after=retry_after(response),
                provider_message=said or None,
                provider_status=response.status,
            )
        if response.status < 300 or self.oauth.is_dead(response):
            return AuthenticationError(
                f"the provider refused the login{f': {said}' if said else ''}",
                where=where,
                hint="the code or refresh token has ended, or the client id or secret is wrong: log in again",
            )
        return ProviderError(reason, where=where, provider_message=said or None, provider_status=response.status)


class _TokenTransport(BaseAdapter):
    """Carries what the library sends: over the shared connections, with limits, and to where it was meant for only.

    The library insists on https. An endpoint on this machine may be `plain` all the same: it is named https until here.
    """

    def __init__(self, sessions: Sessions, *, plain: bool) -> None:
        super().__init__()
        self._sessions = sessions
        self._is_plain = plain

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        if self._is_plain:
            request.url = _plain(str(request.url))
        where = urlsplit(str(request.url)).netloc
        try:
            answer = self._sessions.send(request, _TIMEOUT)
            try:
                answer._content = read_body(answer, _MOST_ANSWER, where)
            finally:
                answer.raw.release_conn()
        except SENDING_ERRORS as error:
            raise unreachable(error, where, _TIMEOUT) from None
        if answer.is_redirect:
            # Followed, it would carry the client secret to another address.
            raise ProviderError(
                "the token endpoint has moved",
                where=where,
                hint=f"the answer points to {answer.headers['Location'].partition('?')[0]}",
                provider_status=answer.status_code,
            )
        return answer

    def close(self) -> None:
        """The connections belong to the sessions."""


def _is_fit_to_log(record: logging.LogRecord) -> bool:
    return not is_oauth_chatter(record)


# What came back from the consent


def _answer_fields(answer: str, state: str | None) -> dict[str, str]:
    answer = answer.strip()
    if "://" not in answer and "code=" not in answer and "error=" not in answer:
        return {"code": unquote(answer), "state": state or ""}
    query = urlsplit(answer).query if "://" in answer else answer.lstrip("?")
    fields = dict(parse_qsl(query))
    if "code" in fields:
        # No code holds a space: this was a plus that the provider did not encode.
        fields["code"] = fields["code"].replace(" ", "+")
    return fields


def _refused(fields: dict[str, str]) -> ConnectoryError:
    said = ", ".join(fields[name] for name in ("error", "error_description", "reason") if fields.get(name))
    if fields["error"] in _MAY_PASS:
        return RetryLaterError(f"the provider cannot log anybody in now: {said}", provider_message=said)
    return ConsentRefusedError(
        f"the access was not allowed: {said}", hint="start again, and allow it on the provider's page"
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


# What came back from the token endpoint


def _json_object(response: Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def _said(fields: dict[str, Any]) -> str:
    """What the provider says of itself, never the body as it is."""
    parts = [str(fields[name]) for name in ("error", "error_description") if fields.get(name)]
    return redactor.scrub(", ".join(parts))[:300]


def _cleaned(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields in the shape that the library takes: without empty ones, and with a life that is a number."""
    kept = {name: value for name, value in _without(fields, "expires_at").items() if value not in (None, "")}
    if isinstance(kept.get("scope"), list):
        kept["scope"] = " ".join(map(str, kept["scope"]))
    life = _seconds(kept.pop("expires_in", None))
    return kept if life is None else {**kept, "expires_in": life}


def _seconds(value: Any) -> int | None:
    """A life in whole seconds; None where it is missing, or none that can be believed."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return int(seconds) if math.isfinite(seconds) and 0 < seconds < 1e10 else None


def _token(reply: dict[str, Any], asked_at: datetime) -> Token:
    life, refresh, scope = reply.get("expires_in"), reply.get("refresh_token"), reply.get("scope")
    token = Token(
        access_token=Secret(str(reply["access_token"])),
        refresh_token=Secret(str(refresh)) if refresh else None,
        token_type=str(reply.get("token_type", "Bearer")),
        # From before the request: it can only be too early.
        expires_at=None if life is None else asked_at + timedelta(seconds=life),
        scope=" ".join(scope) if scope else None,
        # Not the id token: what is kept of a reply beside the pair is not encrypted.
        extra={
            name: value for name, value in reply.items() if name not in _TOKEN_FIELDS and not name.endswith("token")
        },
    )
    redactor.learn(token.access_token, token.refresh_token)
    return token


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


# Plain HTTP on loopback: oauthlib refuses it unless an environment variable of the whole process allows it everywhere.


def _secured(url: str) -> tuple[str, bool]:
    """The URL as https, and whether it must be spoken plainly all the same: only to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url, False
    if parts.scheme == "http" and parts.hostname and is_loopback(parts.hostname):
        return f"https{url[4:]}", True
    raise ConfigurationError(
        f"{url!r} would carry secrets in clear", hint="use https; plain http is for sandboxes on this machine"
    )


def _plain(url: str) -> str:
    return f"http{url[5:]}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
