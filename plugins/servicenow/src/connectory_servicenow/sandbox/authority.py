"""The OAuth server's memory: registered clients, codes, tokens and who is logged in at the login page."""

import base64
import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from connectory.testing.sandbox import Clock

from .switches import OAuthSwitches

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class TokenRefusedError(Exception):
    """The text is the true reason, which a caller never gets to see."""


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    redirect_uris: tuple[str, ...] = ()
    """Where codes may be sent; when none is registered, anywhere on this machine."""
    user_name: str = "admin"
    """Whom the client_credentials grant acts for."""

    def redirect_for(self, wanted: str) -> str:
        """Where to send the answer: an address that is not registered is replaced by the first that is."""
        if not self.redirect_uris:
            return wanted if urlsplit(wanted).hostname in LOOPBACK else ""
        return wanted if wanted in self.redirect_uris else self.redirect_uris[0]


@dataclass(frozen=True, kw_only=True)
class Code:
    client_id: str
    user_id: str
    redirect_uri: str
    challenge: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Token:
    value: str
    kind: Literal["access", "refresh"]
    client_id: str
    user_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """The fields of a token request that matter, however they were sent."""

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
    access: Token
    refresh: Token | None


@dataclass
class Authority:
    clock: Clock
    switches: Callable[[], OAuthSwitches]
    find_user: Callable[[str, str], str]
    """The id of the user with this name and password; empty when there is none."""
    client_user: Callable[[str], str]
    """The id of an active user by name."""
    is_active: Callable[[str], bool]
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Logged-in users by the value of their session cookie."""

    def register(self, client: OAuthClient) -> None:
        self.clients[client.client_id] = client

    def issue_code(self, client: OAuthClient, user_id: str, redirect_uri: str, challenge: str) -> str:
        code = secrets.token_urlsafe(64)
        self.codes[code] = Code(
            client_id=client.client_id,
            user_id=user_id,
            redirect_uri=redirect_uri,
            challenge=challenge,
            expires_at=self._in(self.switches().code_ttl),
        )
        return code

    def user_of(self, access_token: str) -> str:
        """The user a live access token speaks for; empty when it is not one."""
        token = self.tokens.get(access_token)
        return token.user_id if token and token.kind == "access" and self._is_live(token) else ""

    def revoke(self, value: str) -> None:
        self.tokens.pop(value, None)

    def expire(self, kind: str) -> int:
        """End all tokens of a kind, or of both; the number that ended."""
        ended = [token.value for token in self.tokens.values() if kind in {token.kind, "all"}]
        for value in ended:
            self.revoke(value)
        return len(ended)

    def seconds_left(self, token: Token) -> int:
        return max(0, math.ceil((token.expires_at - self.clock.now()).total_seconds()) - 1)

    def grant(self, request: TokenRequest) -> Granted:
        if request.grant_type not in self.switches().grants:
            raise TokenRefusedError(f"grant {request.grant_type!r} is off")
        handlers: dict[str, Callable[[TokenRequest, OAuthClient], Granted]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            "password": self._by_password,
            "client_credentials": self._by_client,
        }
        client = self.clients.get(request.client_id)
        if client is None or request.grant_type not in handlers:
            raise TokenRefusedError("unknown client or grant")
        return handlers[request.grant_type](request, client)

    def _by_code(self, request: TokenRequest, client: OAuthClient) -> Granted:
        code = self.codes.pop(request.code, None)
        if code is None or code.client_id != client.client_id or code.expires_at <= self.clock.now():
            raise TokenRefusedError("code is unknown, used or too old")
        if code.redirect_uri != request.redirect_uri:
            raise TokenRefusedError("redirect_uri is not the one the code was sent to")
        if not self._proves_itself(request, client, code):
            raise TokenRefusedError("wrong secret or verifier")
        return self._issue(client, code.user_id)

    def _proves_itself(self, request: TokenRequest, client: OAuthClient, code: Code) -> bool:
        if code.challenge and code.challenge != _challenge(request.code_verifier):
            return False
        # A public client has no secret: its verifier is all the proof there is.
        is_public = bool(code.challenge) and not request.client_secret
        return is_public or _has_secret(request, client)

    def _by_refresh_token(self, request: TokenRequest, client: OAuthClient) -> Granted:
        token = self.tokens.get(request.refresh_token)
        if token is None or token.kind != "refresh" or token.client_id != client.client_id:
            raise TokenRefusedError("refresh token is unknown")
        if not self._is_live(token) or not _has_secret(request, client):
            raise TokenRefusedError("refresh token is too old, its user is locked, or the secret is wrong")
        refresh = self._rotated(token) if self.switches().rotate_refresh else token
        return Granted(access=self._access(client, token.user_id), refresh=refresh)

    def _by_password(self, request: TokenRequest, client: OAuthClient) -> Granted:
        user_id = self.find_user(request.username, request.password)
        if not user_id or not _has_secret(request, client):
            raise TokenRefusedError("wrong user, password or secret")
        return self._issue(client, user_id)

    def _by_client(self, request: TokenRequest, client: OAuthClient) -> Granted:
        user_id = self.client_user(client.user_name)
        if not user_id or not _has_secret(request, client):
            raise TokenRefusedError("no application user, or wrong secret")
        return Granted(access=self._prolonged(self._access(client, user_id)), refresh=None)

    def _issue(self, client: OAuthClient, user_id: str) -> Granted:
        """Tokens for a new consent: live ones are handed out again with a fresh lifetime."""
        access = self._prolonged(self._access(client, user_id))
        refresh = self._live("refresh", client, user_id) if self.switches().same_token_while_live else None
        refresh = self._prolonged(refresh) if refresh else self._new("refresh", client.client_id, user_id)
        return Granted(access=access, refresh=refresh)

    def _access(self, client: OAuthClient, user_id: str) -> Token:
        live = self._live("access", client, user_id) if self.switches().same_token_while_live else None
        return live or self._new("access", client.client_id, user_id)

    def _live(self, kind: str, client: OAuthClient, user_id: str) -> Token | None:
        for token in self.tokens.values():
            if (token.kind, token.client_id, token.user_id) == (kind, client.client_id, user_id) and self._is_live(
                token
            ):
                return token
        return None

    def _new(self, kind: Literal["access", "refresh"], client_id: str, user_id: str) -> Token:
        token = Token(
            value=secrets.token_urlsafe(64),
            kind=kind,
            client_id=client_id,
            user_id=user_id,
            expires_at=self._in(self._ttl(kind)),
        )
        self.tokens[token.value] = token
        return token

    def _prolonged(self, token: Token) -> Token:
        self.tokens[token.value] = replace(token, expires_at=self._in(self._ttl(token.kind)))
        return self.tokens[token.value]

    def _rotated(self, token: Token) -> Token:
        self.revoke(token.value)
        return self._new("refresh", token.client_id, token.user_id)

    def _is_live(self, token: Token) -> bool:
        return token.expires_at > self.clock.now() and self.is_active(token.user_id)

    def _ttl(self, kind: str) -> float:
        return self.switches().access_ttl if kind == "access" else self.switches().refresh_ttl

    def _in(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)


def _has_secret(request: TokenRequest, client: OAuthClient) -> bool:
    return secrets.compare_digest(request.client_secret.encode(), client.client_secret.encode())


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
