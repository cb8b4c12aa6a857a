"""The login at Sage, and the headers of each request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from connectory.model import OAuth2, Pkce

from . import addresses

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from connectory.auth import TokenSource
    from connectory.model import Config, Response

_DEAD = {"invalid_grant", "invalid_client", "unauthorized_client"}


def is_dead(response: Response) -> bool:
    """Whether a person must consent again. Sage answers 400 with a reason; other reasons do not concern the login."""
    if response.status not in {400, 401}:
        return False
    try:
        body = response.json()
    except msgspec.DecodeError:
        return False
    error = body.get("error") if isinstance(body, dict) else None
    return error in _DEAD or (error is None and response.status == 401)


OAUTH = OAuth2(
    authorize_url=addresses.authorize_url,
    token_url=addresses.token_url,
    revoke_url=addresses.revoke_url,
    scope="full_access",
    client_auth="body",
    pkce=Pkce.OPTIONAL,
    is_dead=is_dead,
    # A refresh token that is not used expires after 31 days.
    keep_alive=timedelta(days=14),
)


def build_auth(config: Config, tokens: TokenSource) -> AuthBase:
    # Imported here because it loads requests, which a command that only lists elements does not need.
    from .carried import build

    return build(config, tokens)
