"""The consent: a person is sent to the provider's page, allows the access, and comes back with a code."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from ...connections import Sessions, default_sessions
from ...errors import AuthenticationError, ConsentRefusedError, RetryLaterError
from ...model import OAuth2, Pkce, resolve_endpoint
from ...secrets import Secret, reveal
from .oauthsession import API_SECRET, PASSING_ERRORS, open_session, plain, secured
from .tokenendpoint import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...auth import Token
    from ...errors import ConnectoryError
    from ...model import Config

SCOPE = "oauth.scope"
PKCE = "oauth.pkce"


@dataclass(frozen=True, kw_only=True, slots=True)
class Authorization:
    """Where to send the person, and the `state` that must come back with them."""

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

    @property
    def endpoint(self) -> TokenEndpoint:
        """Where the code is exchanged for tokens."""
        return TokenEndpoint(oauth=self.oauth, config=self.config, now=self.now, sessions=self.sessions)

    def start(self) -> Authorization:
        """Begin a consent. Its `state` is random and good for one `finish`."""
        url, is_plain = secured(resolve_endpoint(self.oauth.authorize_url, self.config))
        state = secrets.token_urlsafe(24)
        verifier, challenge = self._pkce()
        session = open_session(self.config, scope=self.config.get(SCOPE) or self.oauth.scope)
        built, _ = session.authorization_url(url, state=state, **dict(self.oauth.authorize_params), **challenge)
        authorization = Authorization(url=plain(built) if is_plain else built, state=state, code_verifier=verifier)
        self.resume(authorization)
        return authorization

    def resume(self, authorization: Authorization) -> None:
        """Accept the answer to a consent that another flow object of the same login began."""
        self._open[authorization.state] = authorization

    def finish(self, answer: str, state: str | None = None) -> Token:
        """Exchange what the provider's redirect brought: the whole URL that the browser was sent to.

        A bare code is enough when `state` is given, for a person who copied the code from the address bar.
        """
        fields = _answer_fields(answer, state)
        if "error" in fields and "state" not in fields:
            raise _refused(fields)
        authorization = self._close(fields.get("state", ""), state)
        if "error" in fields:
            raise _refused(fields)
        if not fields.get("code"):
            raise AuthenticationError("the provider sent no code back", hint="start the login again")
        return self.endpoint.exchange(fields["code"], authorization.code_verifier)

    def expects(self, state: str) -> bool:
        """Whether a login with this state was started and has not been answered."""
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
        """Optional PKCE is used when there is no client secret to protect the code, or when it was configured.

        It is not used otherwise, because the code may come from a person who does not know the verifier.
        """
        if self.oauth.pkce is not Pkce.OPTIONAL:
            return self.oauth.pkce is Pkce.REQUIRED
        return not reveal(self.config.get(API_SECRET)) or str(self.config.get(PKCE)).lower() == "true"


def _answer_fields(answer: str, state: str | None) -> dict[str, str]:
    answer = answer.strip()
    if "://" not in answer and "code=" not in answer and "error=" not in answer:
        return {"code": unquote(answer), "state": state or ""}
    query = urlsplit(answer).query if "://" in answer else answer.lstrip("?")
    fields = dict(parse_qsl(query))
    if "code" in fields:
        # Codes contain no spaces: a space comes from a plus sign that the provider did not encode.
        fields["code"] = fields["code"].replace(" ", "+")
    return fields


def _refused(fields: dict[str, str]) -> ConnectoryError:
    said = ", ".join(fields[name] for name in ("error", "error_description", "reason") if fields.get(name))
    if fields["error"] in PASSING_ERRORS:
        return RetryLaterError(f"the provider cannot log anybody in now: {said}", provider_message=said)
    return ConsentRefusedError(
        f"access was not allowed: {said}", hint="start again, and allow access on the provider's page"
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))
