"""The login at ServiceNow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.model import OAuth2, Pkce

from .address import base_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests.auth import AuthBase

    from connectory.auth import TokenSource
    from connectory.model import Config, Response


def _page(name: str) -> Callable[[Config], str]:
    return lambda config: f"{base_url(config)}/{name}"


def _is_dead(response: Response) -> bool:
    """Whether a person must consent again.

    The token endpoint answers every refusal with 401 and writes the reason only to the instance's log, so an expired
    refresh token looks like a wrong secret. A page instead of JSON means that the instance is asleep.
    """
    return response.status in {400, 401} and response.content_type != "text/html"


OAUTH = OAuth2(
    authorize_url=_page("oauth_auth.do"),
    token_url=_page("oauth_token.do"),
    revoke_url=_page("oauth_revoke_token.do"),
    client_auth="basic",
    # What the documentation of `servicenowoauth` gave as the code for logging in with a password.
    password_code="1000",
    # Releases before Zurich ignore the challenge.
    pkce=Pkce.OPTIONAL,
    is_dead=_is_dead,
)


def build_auth(tokens: TokenSource) -> AuthBase:
    # Imported here because it loads requests, which a command that only lists elements does not need.
    from connectory.auth import BearerAuth

    return BearerAuth(tokens)
