"""Ready-made objects that authenticate the requests of one instance. Each is an `AuthBase` of `requests`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from requests.auth import AuthBase

from .http import encode
from .secrets import Secret, redactor, reveal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from requests import PreparedRequest

_BEARER = "Bearer "


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """The tokens that an OAuth2 provider gave. `expires_at` is aware UTC; it is None if the provider named no time.

    `version` goes up with each renewal that is stored; `extra` holds the other fields of the provider's answer.
    `account` is the account that `Element.account` named at the login.

    >>> token = Token(access_token=Secret("a1"), refresh_token=Secret("r1"), scope="read")
    >>> token.access_token.reveal(), "a1" in repr(token), token.expires_at
    ('a1', False, None)
    """

    access_token: Secret
    refresh_token: Secret | None = None
    token_type: str = "Bearer"
    expires_at: datetime | None = None
    scope: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    account: str | None = None
    version: int = 0


class TokenSource(Protocol):
    """The tokens of one instance that are valid now.

    A source for a test, which never renews:

    >>> class Fixed:
    ...     def current(self) -> Token:
    ...         return Token(access_token=Secret("a1"))
    ...     def renew(self, rejected: str) -> Token:
    ...         return self.current()
    >>> tokens: TokenSource = Fixed()
    >>> tokens.renew("a0").access_token.reveal()
    'a1'
    """

    def current(self) -> Token:
        """A token that is valid for a while, renewed early. `AuthenticationError` if a person must log in."""
        ...

    def renew(self, rejected: str) -> Token:
        """A token to use instead of the access token that the provider rejected."""
        ...


class BearerAuth(AuthBase):
    """Sends `Authorization: Bearer ...`, and renews the token if the provider refuses it.

    `tokens` is the argument of `connect_build_auth`. `AuthenticationError` if a person must log in again.

    >>> import requests
    >>> class Renewing:
    ...     def current(self) -> Token:
    ...         return Token(access_token=Secret("old"))
    ...     def renew(self, rejected: str) -> Token:
    ...         return Token(access_token=Secret("new"))
    >>> auth = BearerAuth(Renewing())
    >>> signed = auth(requests.Request("GET", "https://acme.example/orders").prepare())
    >>> signed.headers["Authorization"], auth.renew(signed)
    ('Bearer old', True)
    """

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = _BEARER + self._tokens.current().access_token.reveal()
        return request

    def renew(self, prepared: PreparedRequest) -> bool:
        """Renew the token that this request carried; True means that the request can be sent again.

        A renewal may return the same token while it is valid, as with ServiceNow. It still proves that the login works,
        so the request is worth a second try. A refused renewal is an `AuthenticationError`.
        """
        rejected = str(prepared.headers.get("Authorization", "")).removeprefix(_BEARER)
        return bool(self._tokens.renew(rejected).access_token)


class BasicAuth(AuthBase):
    """HTTP Basic authentication, in UTF-8.

    >>> BasicAuth("ann", Secret("pw"))
    BasicAuth('ann')
    """

    def __init__(self, username: str, password: Secret | str) -> None:
        self._username = username
        pair = f"{username}:{reveal(password)}".encode()
        encoded = base64.b64encode(pair).decode()
        self._header = Secret(f"Basic {encoded}")
        redactor.learn(password, encoded)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._header.reveal()
        return request

    def __repr__(self) -> str:
        return f"BasicAuth({self._username!r})"


class ApiKeyAuth(AuthBase):
    """Sends a key in a header or in the query: name one of the two.

    `scheme` is a word before the key in the header. It serves for a token that never changes:
    `ApiKeyAuth(token, header="Authorization", scheme="Bearer")`.

    >>> ApiKeyAuth(Secret("k"), header="X-Api-Key")
    ApiKeyAuth(header='X-Api-Key')
    """

    def __init__(
        self, key: Secret | str, *, header: str | None = None, query: str | None = None, scheme: str = ""
    ) -> None:
        if (header is None) == (query is None):
            raise TypeError("name either the header or the query parameter that carries the key, not both")
        if scheme and header is None:
            raise TypeError("a scheme can only stand in a header, not in the query")
        self._key = Secret(reveal(key))
        redactor.learn(self._key)
        self._header = header
        self._query = query
        self._before = f"{scheme} " if scheme else ""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._header is not None:
            request.headers[self._header] = self._before + self._key.reveal()
        else:
            url = str(request.url)
            request.url = f"{url}{'&' if '?' in url else '?'}{encode([(str(self._query), self._key.reveal())])}"
        return request

    def __repr__(self) -> str:
        return f"ApiKeyAuth(header={self._header!r})" if self._header else f"ApiKeyAuth(query={self._query!r})"
