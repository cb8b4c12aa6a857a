"""The OAuth2 authorization code flow, and what comes after it: exchange, refresh, the password grant.

requests-oauthlib builds and parses the messages. Its own refreshing is not used: it forwards the arguments of API calls
to the token endpoint, trusts relative expiry, and renews once per thread.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..auth import Token
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectoryError,
    ConsentRefusedError,
    ProviderError,
    RetryLaterError,
)
from ..http import SharedTLSAdapter
from ..model import OAuth2, Pkce, Response, resolve_endpoint, retry_after
from ..secrets import Secret, redactor, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from requests_oauthlib import OAuth2Session

    from ..model import Config, Endpoint

API_KEY = "oauth.api.key"
API_SECRET = "oauth.api.secret"
CALLBACK_URL = "oauth.callback.url"
SCOPE = "oauth.scope"

_TIMEOUT = (10, 30)
_TOKEN_FIELDS = {"access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope"}


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
    _open: dict[str, Authorization] = field(default_factory=dict)

    # The consent

    def start(self) -> Authorization:
        """Begin a consent; its `state` is random and good for one `finish`."""
        url = resolve_endpoint(self.oauth.authorize_url, self.config)
        state = secrets.token_urlsafe(24)
        verifier, challenge = self._pkce()
        session = self._session(scope=self.config.get(SCOPE) or self.oauth.scope)
        secured, plain = _secured(url)
        built, _ = session.authorization_url(secured, state=state, **dict(self.oauth.authorize_params), **challenge)
        authorization = Authorization(
            url=built.replace("https://", "http://", 1) if plain else built, state=state, code_verifier=verifier
        )
        self._open[state] = authorization
        return authorization

    def finish(self, redirected_to: str) -> Token:
        """Exchange what the provider's redirect brought: the whole URL that the browser was sent to."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(redirected_to).query).items()}
        authorization = self._closed(answer.get("state", ""))
        if "error" in answer:
            said = answer.get("error_description") or answer["error"]
            raise ConsentRefusedError(
                f"the access was not allowed: {said}", hint="start again, and allow it on the provider's page"
            )
        if not answer.get("code"):
            raise AuthenticationError("the provider sent no code back", hint="start the login again")
        return self.exchange_code(answer["code"], authorization.code_verifier)

    def _closed(self, state: str) -> Authorization:
        known = next((key for key in self._open if hmac.compare_digest(key.encode(), state.encode())), None)
        if known is None:
            raise AuthenticationError(
                "the answer belongs to another login (its `state` is not the one that was sent)",
                hint="start the login again, and use the window that it opens",
            )
        return self._open.pop(known)

    def _pkce(self) -> tuple[Secret | None, dict[str, str]]:
        if self.oauth.pkce is not Pkce.REQUIRED and not self.config.get("oauth.pkce"):
            return None, {}
        if self.oauth.pkce is Pkce.OFF:
            return None, {}
        from oauthlib.oauth2 import WebApplicationClient

        client = WebApplicationClient("")
        verifier = client.create_code_verifier(64)
        challenge = client.create_code_challenge(verifier, "S256")
        return Secret(verifier), {"code_challenge": challenge, "code_challenge_method": "S256"}

    # Tokens

    def exchange_code(self, code: str, code_verifier: Secret | None = None) -> Token:
        """A code for a token; a code that is still percent-encoded (`GB%2F...`) is decoded first."""
        more: dict[str, Any] = {"code_verifier": code_verifier.reveal()} if code_verifier else {}
        return self._ask(
            lambda session, url, options: session.fetch_token(url, code=unquote(code), **options, **more),
            self.oauth.token_url,
        )

    def refresh(self, token: Token) -> Token:
        """A new pair; the refresh token stays the old one where the provider sends none."""
        if token.refresh_token is None:
            raise AuthenticationError("there is no refresh token", hint="log in again")
        old = token.refresh_token

        def refresh(session: OAuth2Session, url: str, options: dict[str, Any]) -> Any:
            options.pop("include_client_id", None)
            if "auth" not in options:
                options["client_id"] = str(self.config[API_KEY])
            else:
                options.pop("client_secret", None)
            return session.refresh_token(url, refresh_token=old.reveal(), **options)

        return self._ask(refresh, self.oauth.token_url, kept=old)

    def password(self, username: str, password: Secret) -> Token:
        """The password grant, for providers that still have it."""
        from oauthlib.oauth2 import LegacyApplicationClient

        return self._ask(
            lambda session, url, options: session.fetch_token(
                url, username=username, password=password.reveal(), **options
            ),
            self.oauth.token_url,
            client=LegacyApplicationClient(str(self.config[API_KEY])),
        )

    def _ask(
        self,
        call: Callable[[OAuth2Session, str, dict[str, Any]], Any],
        endpoint: Endpoint,
        *,
        kept: Secret | None = None,
        client: Any = None,
    ) -> Token:
        from oauthlib.oauth2 import OAuth2Error
        from requests import RequestException

        url, plain = _secured(resolve_endpoint(endpoint, self.config))
        # Asking for no scope here: a provider that grants another one than was asked for would be an exception.
        session = self._session(scope=None, client=client)
        session.mount(_origin(url), _PlainLoopback() if plain else SharedTLSAdapter())
        for hook in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(hook, self._check)
        asked_at = self.now()
        try:
            reply = call(session, url, self._client_authentication() | {"timeout": _TIMEOUT})
        except ConnectoryError:
            raise
        except RequestException as error:
            raise RetryLaterError(
                f"the token endpoint cannot be reached: {type(error).__name__}",
                where=urlsplit(url).netloc,
                hint="check the address and the network",
            ) from error
        except (OAuth2Error, ValueError) as error:
            raise AuthenticationError(
                f"the token endpoint's answer cannot be used: {getattr(error, 'description', None) or error}",
                where=urlsplit(url).netloc,
            ) from error
        finally:
            session.close()
        return _token(reply, asked_at, kept)

    def _client_authentication(self) -> dict[str, Any]:
        from requests.auth import HTTPBasicAuth

        secret = reveal(self.config.get(API_SECRET))
        redactor.learn(secret)
        if self.oauth.client_auth == "basic":
            key = str(self.config[API_KEY])
            return {"auth": HTTPBasicAuth(key.encode(), secret.encode())}
        return {"include_client_id": True, "client_secret": secret}

    def _session(self, scope: str | None, client: Any = None) -> OAuth2Session:
        from requests_oauthlib import OAuth2Session

        session = OAuth2Session(
            None if client else str(self.config[API_KEY]),
            client=client,
            redirect_uri=self.config.get(CALLBACK_URL) or None,
            scope=scope,
        )
        session.trust_env = False
        return session

    def _check(self, answer: requests.Response) -> requests.Response:
        """Say what an answer of the token endpoint means, before it is taken apart."""
        response = Response(status=answer.status_code, headers=answer.headers, body=answer.content)
        where = urlsplit(str(answer.url)).netloc
        if response.content_type.endswith("html"):
            raise RetryLaterError(
                "the token endpoint answered with a web page instead of a token",
                where=where,
                hint="the provider may be asleep or down for maintenance: open it in a browser, then try again",
            )
        if response.status < 300:
            return answer
        said = _said(response)
        if response.status == 429 or response.status >= 500:
            raise RetryLaterError(
                f"the token endpoint answered {response.status}{said}", where=where, retry_after=retry_after(response)
            )
        if self.oauth.is_dead(response):
            raise AuthenticationError(
                f"the provider refused the login{said}",
                where=where,
                hint="the code or refresh token has ended, or the client id or secret is wrong: log in again",
            )
        raise ProviderError(f"the token endpoint answered {response.status}{said}", where=where)


def _said(response: Response) -> str:
    """What the provider says of itself: its `error` and `error_description`, never the body as it is."""
    try:
        body = response.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    parts = [str(body[name]) for name in ("error", "error_description") if body.get(name)]
    return f": {', '.join(parts)}" if parts else ""


def _token(reply: Any, asked_at: datetime, kept: Secret | None) -> Token:
    access, refresh, life = reply.get("access_token"), reply.get("refresh_token"), reply.get("expires_in")
    if not access:
        raise AuthenticationError("the token endpoint answered without a token", hint="log in again")
    token = Token(
        access_token=Secret(str(access)),
        refresh_token=Secret(str(refresh)) if refresh else kept,
        token_type=str(reply.get("token_type") or "Bearer"),
        # From before the request: it can only be too early.
        expires_at=None if life is None else asked_at + timedelta(seconds=float(life)),
        scope=" ".join(reply["scope"]) if isinstance(reply.get("scope"), list) else reply.get("scope"),
        extra={name: value for name, value in reply.items() if name not in _TOKEN_FIELDS},
    )
    redactor.learn(token.access_token, token.refresh_token)
    return token


# Plain HTTP on loopback: oauthlib refuses it unless an environment variable of the whole process allows it everywhere.


def _secured(url: str) -> tuple[str, bool]:
    """The URL as https, and whether it must be spoken plainly all the same: only to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url, False
    if parts.scheme == "http" and parts.hostname and is_loopback(parts.hostname):
        return url.replace("http://", "https://", 1), True
    raise ConfigurationError(
        f"{url!r} would carry secrets in clear", hint="use https; plain http is for sandboxes on this machine"
    )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


class _PlainLoopback(SharedTLSAdapter):
    """Speaks plain HTTP to the one loopback address that it is mounted on."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **options)
