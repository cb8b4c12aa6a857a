"""Issues and revokes codes and tokens: an OAuth2 server without its pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock

ClientAuth = Literal["both", "basic", "body"]
Pkce = Literal["off", "allowed", "required"]


@dataclass(frozen=True, kw_only=True)
class OAuthSwitches:
    """The settings of an OAuth2 server. Lifetimes (`_ttl`) are in seconds; None means unlimited.

    `body_only` refuses token requests with parameters in their URL. With `same_token_while_live`, a user who has a live
    token gets the same one again: after a consent with a new lifetime, after a refresh with the rest of its lifetime.
    `old_refresh` is what happens to a refresh token that was replaced: it is `refused`, it is `accepted`, or its use
    `revokes` all tokens of the same consent, as after a theft.

    >>> OAuthSwitches(access_ttl=300, refresh_ttl=31 * 86400, old_refresh="revokes", pkce="required").access_ttl
    300
    """

    grants: tuple[str, ...] = ("authorization_code", "refresh_token")
    client_auth: ClientAuth = "both"
    pkce: Pkce = "allowed"
    pkce_plain: bool = False
    state_required: bool = False
    body_only: bool = True
    scope: str = "full_access"
    access_ttl: float = 3600
    refresh_ttl: float | None = None
    code_ttl: float = 60
    same_token_while_live: bool = False
    rotate_refresh: bool = True
    old_refresh: Literal["refused", "accepted", "revokes"] = "refused"
    repeats_refresh_token: bool = True
    """Whether a reply contains the refresh token although it has not changed."""


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    """An application that is registered at the provider.

    >>> client = OAuthClient(client_id="app", client_secret="hush", redirect_uris=("https://app.example/done",))
    >>> client.redirect_for("https://app.example/done"), client.redirect_for("https://evil.example/")
    ('https://app.example/done', '')
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    redirect_uris: tuple[str, ...] = ()
    """The only URLs that codes are sent to; if there are none, any http or https URL is allowed."""

    def redirect_for(self, wanted: str) -> str:
        """`wanted` if codes may be sent to that URL, else an empty text."""
        if self.redirect_uris:
            return wanted if wanted in self.redirect_uris else ""
        parts = urlsplit(wanted)
        return wanted if parts.scheme in {"http", "https"} and parts.netloc else ""


class TokenRefusedError(Exception):
    """`error` is the code of RFC 6749.

    >>> TokenRefusedError("invalid_grant", "the code is unknown, used or expired").error
    'invalid_grant'
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, kw_only=True)
class Code:
    client_id: str
    user: str
    redirect_uri: str
    expires_at: datetime
    scope: str
    challenge: str = ""
    is_plain: bool = False


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token that was issued. `family` names the consent that it comes from; `expires_at` is None if it never expires.

    >>> from connectory.sandbox import Clock
    >>> authority = Authority(clock=Clock())
    >>> authority.register(OAuthClient()).client_id
    'sandbox-client'
    >>> known = {"kind": "access", "client_id": "sandbox-client", "user": "ann", "scope": "", "family": "1"}
    >>> Token(value="t0k3n", expires_at=None, **known).user
    'ann'
    """

    value: str
    kind: Literal["access", "refresh"]
    client_id: str
    user: str
    scope: str
    family: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    grant_type: str
    client_id: str
    client_secret: str
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    refresh_token: str = ""
    username: str = ""
    password: str = ""


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The tokens that a request gets. `tells_refresh` is false if the reply leaves out the refresh token.

    >>> from connectory.sandbox import Clock
    >>> authority = Authority(clock=Clock(), switches=OAuthSwitches(grants=("client_credentials",)))
    >>> client = authority.register(OAuthClient())
    >>> known = {"client_id": client.client_id, "client_secret": client.client_secret}
    >>> granted = authority.grant(TokenRequest(grant_type="client_credentials", **known))
    >>> granted.access.kind, granted.refresh
    ('access', None)
    """

    access: Token
    refresh: Token | None
    tells_refresh: bool = True


def random_code() -> str:
    return secrets.token_hex(20)


def random_token(user: str, kind: str, now: datetime, life: float | None) -> str:
    return secrets.token_urlsafe(32)


@dataclass(kw_only=True)
class Authority:
    """`make_code` and `make_token(user, kind, now, life)` make codes and tokens that look like the provider's.

    A sandbox whose users are more than names with passwords overrides `log_in`, `is_active` and `user_for`.

    >>> from connectory.sandbox import Clock
    >>> authority = Authority(clock=Clock(), switches=OAuthSwitches(grants=("password", "refresh_token")))
    >>> client = authority.register(OAuthClient())
    >>> known = {"client_id": client.client_id, "client_secret": client.client_secret}
    >>> first = authority.grant(TokenRequest(grant_type="password", username="sandbox", password="sandbox", **known))
    >>> authority.user_of(first.access.value)
    'sandbox'
    >>> authority.clock.advance(3601)
    >>> authority.user_of(first.access.value) == ""
    True
    >>> old = first.refresh.value
    >>> second = authority.grant(TokenRequest(grant_type="refresh_token", refresh_token=old, **known))
    >>> second.refresh.value == old
    False
    >>> authority.grant(TokenRequest(grant_type="refresh_token", refresh_token=old, **known))
    Traceback (most recent call last):
    connectory.sandbox.authority.TokenRefusedError: the refresh token is unknown, used or expired
    """

    clock: Clock
    switches: OAuthSwitches = OAuthSwitches()
    people: dict[str, str] = field(default_factory=lambda: {"sandbox": "sandbox"})
    """Passwords by user name."""
    make_code: Callable[[], str] = random_code
    make_token: Callable[[str, str, datetime, float | None], str] = random_token
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    replaced: dict[str, Token] = field(default_factory=dict)

    def register(self, client: OAuthClient) -> OAuthClient:
        self.clients[client.client_id] = client
        return client

    def log_in(self, user: str, password: str) -> str:
        """The user; empty if the name or the password is wrong."""
        known = self.people.get(user)
        return user if known is not None and hmac.compare_digest(known.encode(), password.encode()) else ""

    def is_active(self, user: str) -> bool:
        """Whether this user still exists. The tokens of other users are not accepted."""
        return user in self.people or user in self.clients

    def user_for(self, client: OAuthClient) -> str:
        """The user of the grant `client_credentials`; empty if the client may not use it."""
        return client.client_id

    def issue_code(self, code: Code) -> str:
        value = self.make_code()
        self.codes[value] = code
        return value

    def user_of(self, access_token: str) -> str:
        """The user of a live access token; empty if it is not one."""
        token = self.tokens.get(access_token)
        return token.user if token and token.kind == "access" and self._is_live(token) else ""

    def scope_of(self, access_token: str) -> str:
        token = self.tokens.get(access_token)
        return token.scope if token else ""

    def revoke(self, value: str) -> Token | None:
        return self.tokens.pop(value, None)

    def expire(self, kind: str = "access") -> int:
        """End all tokens of a kind (`access`, `refresh` or `all`), and return how many there were."""
        ended = [token.value for token in self.tokens.values() if kind in {token.kind, "all"}]
        for value in ended:
            self.revoke(value)
        return len(ended)

    def grant(self, request: TokenRequest) -> Granted:
        if request.grant_type not in self.switches.grants:
            raise TokenRefusedError("unsupported_grant_type", f"grant type {request.grant_type!r} is not supported")
        client = self.clients.get(request.client_id)
        if client is None:
            raise TokenRefusedError("invalid_client", "the client is not known")
        if request.grant_type == "authorization_code":
            return self._by_code(request, client)
        self._check_secret(request, client)
        if request.grant_type == "refresh_token":
            return self._by_refresh_token(request, client)
        scope = self.switches.scope
        if request.grant_type == "password" and (user := self.log_in(request.username, request.password)):
            return self._issue(client, user, scope)
        if request.grant_type == "client_credentials" and (user := self.user_for(client)):
            access = self._live("access", client, user, scope) or self._new("access", client, user, scope, "")
            return Granted(access=self._prolonged(access), refresh=None)
        raise TokenRefusedError("invalid_grant", "the user name or the password is wrong")

    def seconds_left(self, token: Token) -> int | None:
        if token.expires_at is None:
            return None
        return max(0, round((token.expires_at - self.clock.now()).total_seconds()))

    def _by_code(self, request: TokenRequest, client: OAuthClient) -> Granted:
        code = self.codes.pop(request.code, None)
        if code is None or code.client_id != client.client_id or code.expires_at <= self.clock.now():
            raise TokenRefusedError("invalid_grant", "the code is unknown, used or expired")
        if code.redirect_uri != request.redirect_uri:
            raise TokenRefusedError("invalid_grant", "redirect_uri differs from the one that the code was sent to")
        if code.challenge and not _matches(code, request.code_verifier):
            raise TokenRefusedError("invalid_grant", "the code verifier does not match")
        # A public client has no secret; its code verifier is its only proof.
        if not (code.challenge and not request.client_secret):
            self._check_secret(request, client)
        return self._issue(client, code.user, code.scope)

    def _by_refresh_token(self, request: TokenRequest, client: OAuthClient) -> Granted:
        token = self.tokens.get(request.refresh_token) or self._replaced(request.refresh_token)
        if token is None or token.kind != "refresh" or token.client_id != client.client_id or not self._is_live(token):
            raise TokenRefusedError("invalid_grant", "the refresh token is unknown, used or expired")
        access = self._live("access", client, token.user, token.scope)
        access = access or self._new("access", client, token.user, token.scope, token.family)
        if not self.switches.rotate_refresh:
            return Granted(access=access, refresh=token, tells_refresh=self.switches.repeats_refresh_token)
        self.revoke(token.value)
        self.replaced[token.value] = token
        return Granted(access=access, refresh=self._new("refresh", client, token.user, token.scope, token.family))

    def _replaced(self, value: str) -> Token | None:
        token = self.replaced.get(value)
        if token is not None and self.switches.old_refresh == "revokes":
            self.tokens = {name: other for name, other in self.tokens.items() if other.family != token.family}
        return token if self.switches.old_refresh == "accepted" else None

    def _check_secret(self, request: TokenRequest, client: OAuthClient) -> None:
        if not hmac.compare_digest(request.client_secret.encode(), client.client_secret.encode()):
            raise TokenRefusedError("invalid_client", "the client secret is wrong")

    def _issue(self, client: OAuthClient, user: str, scope: str) -> Granted:
        refresh = self._live("refresh", client, user, scope)
        family = refresh.family if refresh else secrets.token_hex(8)
        access = self._live("access", client, user, scope) or self._new("access", client, user, scope, family)
        refresh = refresh or self._new("refresh", client, user, scope, family)
        return Granted(access=self._prolonged(access), refresh=self._prolonged(refresh))

    def _live(self, kind: str, client: OAuthClient, user: str, scope: str) -> Token | None:
        """A live token to issue again; None unless `same_token_while_live` is set."""
        if not self.switches.same_token_while_live:
            return None
        wanted = (kind, client.client_id, user, scope)
        alike = (token for token in self.tokens.values() if _key(token) == wanted and self._is_live(token))
        return next(alike, None)

    def _prolonged(self, token: Token) -> Token:
        self.tokens[token.value] = replace(token, expires_at=self._end(self._life(token.kind)))
        return self.tokens[token.value]

    def _new(
        self, kind: Literal["access", "refresh"], client: OAuthClient, user: str, scope: str, family: str
    ) -> Token:
        life = self._life(kind)
        token = Token(
            value=self.make_token(user, kind, self.clock.now(), life),
            kind=kind,
            client_id=client.client_id,
            user=user,
            scope=scope,
            family=family,
            expires_at=self._end(life),
        )
        self.tokens[token.value] = token
        return token

    def _is_live(self, token: Token) -> bool:
        return (token.expires_at is None or token.expires_at > self.clock.now()) and self.is_active(token.user)

    def _life(self, kind: str) -> float | None:
        return self.switches.access_ttl if kind == "access" else self.switches.refresh_ttl

    def _end(self, life: float | None) -> datetime | None:
        return None if life is None else self.clock.now() + timedelta(seconds=life)


def _key(token: Token) -> tuple[str, str, str, str]:
    return token.kind, token.client_id, token.user, token.scope


def _matches(code: Code, verifier: str) -> bool:
    if code.is_plain:
        return hmac.compare_digest(code.challenge.encode(), verifier.encode())
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), code.challenge)
