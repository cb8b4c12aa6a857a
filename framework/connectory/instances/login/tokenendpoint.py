"""The requests to an OAuth2 token endpoint: exchange a code for tokens, renew tokens, and revoke them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec
from requests.adapters import BaseAdapter

from ...connections import Sessions, default_sessions, read_body
from ...errors import AuthenticationError, ConfigurationError, ProviderError
from ...failures import SENDING_ERRORS, unreachable
from ...model import OAuth2, Response, resolve_endpoint
from ...secrets import Secret, redactor, reveal
from .oauthsession import API_KEY, API_SECRET, open_session, plain, secured
from .tokenanswers import checked, token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from requests_oauthlib import OAuth2Session

    from ...auth import Token
    from ...model import Config

# Seconds to connect, and between two bytes. Together they must be less than the lease under which a token is renewed.
_TIMEOUT = (10.0, 30.0)
# The same for revoking a token: somebody waits for the instance to be deleted.
_REVOCATION_TIMEOUT = (5.0, 10.0)
_MOST_ANSWER = 1024 * 1024


@dataclass(kw_only=True)
class TokenEndpoint:
    """One instance's token endpoint. `now` is the clock."""

    oauth: OAuth2
    config: Config
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sessions: Sessions = field(default_factory=default_sessions)

    def exchange_code(self, code: str) -> Token:
        """Exchange a code that a person brings; one that is still percent-encoded (`GB%2F...`) is decoded first."""
        return self.exchange(unquote(code))

    def exchange(self, code: str, code_verifier: Secret | None = None) -> Token:
        """Exchange a code for tokens."""
        verifier: dict[str, Any] = {"code_verifier": code_verifier.reveal()} if code_verifier else {}
        redactor.learn(code, code_verifier)
        return self._ask(
            lambda session, url: session.fetch_token(url, code=code, **self._for_fetching(), **verifier),
            open_session(self.config),
        )

    def refresh(self, token: Token) -> Token:
        """Get a new pair. The old refresh token is kept if the provider sends no new one."""
        if not token.refresh_token:
            raise AuthenticationError("there is no refresh token", hint="a person must log in again")
        old = token.refresh_token.reveal()
        return self._ask(
            lambda session, url: session.refresh_token(url, refresh_token=old, **self._client()),
            open_session(self.config),
        )

    def password(self, username: str, password: Secret) -> Token:
        """The password grant, for providers that still have it."""
        from oauthlib.oauth2 import LegacyApplicationClient

        redactor.learn(password)
        return self._ask(
            lambda session, url: session.fetch_token(
                url, username=username, password=password.reveal(), **self._for_fetching()
            ),
            open_session(self.config, client=LegacyApplicationClient(str(self.config[API_KEY]))),
        )

    def revoke(self, token: Token) -> None:
        """End both tokens at the provider (RFC 7009): the refresh token first, because that usually ends both.

        A provider without such an endpoint is not called. Raises `ProviderError` if the provider refuses.
        """
        if self.oauth.revoke_url is None:
            return
        url, is_plain = secured(resolve_endpoint(self.oauth.revoke_url, self.config))
        transport = _TokenTransport(self.sessions, plain=is_plain, timeout=_REVOCATION_TIMEOUT)
        pair = {"refresh_token": token.refresh_token, "access_token": token.access_token}
        answers = [
            transport.send(self._revocation(url, kind, value)) for kind, value in pair.items() if value is not None
        ]
        refused = [answer.status_code for answer in answers if answer.status_code >= 400]
        if refused:
            raise ProviderError(
                f"the provider answered {refused[0]} when a token was revoked",
                where=urlsplit(url).netloc,
                provider_status=refused[0],
            )

    def _revocation(self, url: str, kind: str, value: Secret) -> requests.PreparedRequest:
        import requests

        client = self._client()
        auth = client.pop("auth", None)
        fields = {"token": value.reveal(), "token_type_hint": kind, **client}
        return requests.Request("POST", url, data=fields, auth=auth).prepare()

    def _ask(self, call: Callable[[OAuth2Session, str], Any], session: OAuth2Session) -> Token:
        from oauthlib.oauth2 import OAuth2Error

        url, is_plain = secured(resolve_endpoint(self.oauth.token_url, self.config))
        session.mount("https://", _TokenTransport(self.sessions, plain=is_plain, timeout=_TIMEOUT))
        for hook in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(hook, self._check)
        asked_at = self.now()
        try:
            return token_of(call(session, url), asked_at)
        except OAuth2Error as error:
            # `_check` has accepted the answer, so it is the request that the library refuses.
            raise ConfigurationError(f"this cannot be sent to the token endpoint: {error.description}") from None

    def _check(self, answer: requests.Response) -> requests.Response:
        """Judge an answer before the library parses it."""
        response = Response(status=answer.status_code, headers=answer.headers, body=answer.content)
        fields = checked(response, urlsplit(str(answer.url)).netloc, self.oauth.is_dead)
        answer._content = msgspec.json.encode(fields)
        return answer

    def _client(self) -> dict[str, Any]:
        """How the client identifies itself. A public client has no secret and can only do so in the body."""
        from requests.auth import HTTPBasicAuth

        key, secret = str(self.config[API_KEY]), reveal(self.config.get(API_SECRET))
        redactor.learn(secret)
        if not secret:
            return {"client_id": key}
        if self.oauth.client_auth == "basic":
            return {"auth": HTTPBasicAuth(key.encode(), secret.encode())}
        return {"client_id": key, "client_secret": secret}

    def _for_fetching(self) -> dict[str, Any]:
        """The arguments of `_client` for the library's `fetch_token`, which adds the client id by itself."""
        client = self._client()
        if "auth" in client:
            return client
        del client["client_id"]
        return {"include_client_id": True, **client}


class _TokenTransport(BaseAdapter):
    """Sends what the library builds: over the shared connections, with limits, and without following redirects.

    The library insists on https. `plain` is for an endpoint on this machine that speaks plain HTTP.
    """

    def __init__(self, sessions: Sessions, *, plain: bool, timeout: tuple[float, float]) -> None:
        super().__init__()
        self._sessions = sessions
        self._is_plain = plain
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        if self._is_plain:
            request.url = plain(str(request.url))
        where = urlsplit(str(request.url)).netloc
        try:
            answer = self._sessions.send(request, self._timeout)
            try:
                answer._content = read_body(answer, _MOST_ANSWER, where)
            finally:
                answer.raw.release_conn()
        except SENDING_ERRORS as error:
            raise unreachable(error, where, self._timeout) from None
        if answer.is_redirect:
            # A redirect would carry the client secret to another address.
            raise ProviderError(
                "the token endpoint has moved",
                where=where,
                hint=f"the answer points to {answer.headers['Location'].partition('?')[0]}",
                provider_status=answer.status_code,
            )
        return answer

    def close(self) -> None:
        """The connections belong to the sessions, which close them."""
