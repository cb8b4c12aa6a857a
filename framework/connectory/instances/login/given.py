"""The login that a new instance brings with it: a code, a refresh token, or a user name and password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import hints
from ...auth import Token
from ...errors import AuthenticationError, ConfigurationError
from ...secrets import Secret

if TYPE_CHECKING:
    from ..draft import Draft
    from .tokenendpoint import TokenEndpoint


def token_of(draft: Draft, endpoint: TokenEndpoint) -> Token:
    """The tokens of an OAuth2 draft. The endpoint gives them for the login that the draft brings with it."""
    if draft.external == "initial":
        return _refreshed(draft, endpoint)
    config, code = draft.config, draft.provider_data.get("code")
    username, password = config.get("username"), config.get("password")
    if username and password and code in {None, "", endpoint.oauth.password_code}:
        return endpoint.password(str(username), password if isinstance(password, Secret) else Secret(str(password)))
    if not isinstance(code, str) or not code:
        raise AuthenticationError(
            "there is no authorization code, and no refresh token to start from",
            where="providerData.code",
            hint=hints.consent(draft.element.key),
        )
    return endpoint.exchange_code(code)


def _refreshed(draft: Draft, endpoint: TokenEndpoint) -> Token:
    refresh_token = draft.config.get("oauth.user.refresh_token")
    if not refresh_token:
        raise ConfigurationError(
            "missing required configuration: oauth.user.refresh_token",
            where="configuration",
            hint="externalAuthentication `initial` starts from an existing refresh token",
        )
    return endpoint.refresh(Token(access_token=Secret(""), refresh_token=refresh_token))
