"""How a provider does OAuth2."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from .endpoint import Endpoint
    from .exchange import Params, Response


class Pkce(enum.Enum):
    """Whether the consent URL carries a code challenge (PKCE). `OFF` is for providers that refuse one.

    >>> oauth = OAuth2(authorize_url="https://acme.example/a", token_url="https://acme.example/t", pkce=Pkce.REQUIRED)
    >>> oauth.pkce.value
    'required'
    """

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuth2:
    """A provider's OAuth2 endpoints and habits.

    `client_auth` says where a token call carries the client id and secret: `basic` (in the header) or `body`.
    `is_dead(response)` says whether a refused refresh means that a person must consent again; by default every answer
    with status 400 or 401 does. A refresh token that was not used for `keep_alive` is renewed before it expires.
    `password_code` is what users send as the code to ask for the password grant, if the provider has such a word.

    >>> from datetime import timedelta
    >>> from connectory.model import resolve_endpoint
    >>> oauth = OAuth2(
    ...     authorize_url=lambda config: config["acme.url"] + "/oauth/authorize",
    ...     token_url="https://login.acme.example/oauth/token",
    ...     scope="orders:read",
    ...     client_auth="body",
    ...     keep_alive=timedelta(days=14),
    ... )
    >>> resolve_endpoint(oauth.authorize_url, {"acme.url": "https://acme.example"})
    'https://acme.example/oauth/authorize'
    """

    authorize_url: Endpoint
    token_url: Endpoint
    revoke_url: Endpoint | None = None
    scope: str | None = None
    client_auth: str = "basic"
    password_code: str | None = None
    pkce: Pkce = Pkce.OPTIONAL
    authorize_params: Params = ()
    is_dead: Callable[[Response], bool] = lambda response: response.status in {400, 401}
    keep_alive: timedelta | None = None
