"""What the consent and the token endpoint share: the configuration keys, the library's session, and plain HTTP.

requests-oauthlib builds and parses the messages. Its automatic refresh is not used. It sends the arguments of API calls
to the token endpoint. If a stored token has no `expires_at`, it counts `expires_in` from the moment when the token is
loaded, so an old token looks valid. And each thread renews the token for itself.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import ConfigurationError
from ...schemas import OAUTH_CALLBACK_URL
from ...secrets import is_oauth_chatter

if TYPE_CHECKING:
    from requests_oauthlib import OAuth2Session

    from ...model import Config

API_KEY = "oauth.api.key"
API_SECRET = "oauth.api.secret"

PASSING_ERRORS = {"temporarily_unavailable", "server_error", "slow_down"}
"""The OAuth2 errors after which the same request may succeed later."""


def open_session(config: Config, *, scope: str | None = None, client: Any = None) -> OAuth2Session:
    """A session of requests-oauthlib for one instance.

    Requests for tokens give no scope: the library raises when the provider grants another one than was asked for.
    """
    from requests_oauthlib import OAuth2Session

    # The library writes tokens and the client secret to its debug log, whatever handlers are attached.
    logging.getLogger("requests_oauthlib.oauth2_session").addFilter(_is_fit_to_log)
    session = OAuth2Session(
        None if client else str(config[API_KEY]),
        client=client,
        # The library sends the redirect URI with every grant, so a session for other grants must not have it.
        redirect_uri=None if client else config.get(OAUTH_CALLBACK_URL) or None,
        scope=scope,
    )
    session.trust_env = False
    return session


def _is_fit_to_log(record: logging.LogRecord) -> bool:
    return not is_oauth_chatter(record)


# Plain HTTP on this machine. oauthlib refuses it unless an environment variable allows it for the whole process and for
# every host, so such a URL is shown to the library as https and turned back where the request is sent.


def secured(url: str) -> tuple[str, bool]:
    """The URL as https, and whether it is really plain HTTP, which is allowed on this machine only."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url, False
    if parts.scheme == "http" and parts.hostname and is_loopback(parts.hostname):
        return f"https{url[4:]}", True
    raise ConfigurationError(
        f"{url!r} would send secrets without encryption", hint="use https; plain http is for sandboxes on this machine"
    )


def plain(url: str) -> str:
    """The URL that `secured` was given, when that was plain HTTP."""
    return f"http{url[5:]}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
