"""The hosts of Sage's two API generations, and the URLs of a configuration that replace them.

v3.1 has one host for all countries. Its predecessor v3 has one for each country, and will be switched off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from connectory.errors import ConfigurationError

if TYPE_CHECKING:
    from connectory.model import Config

API = "sageone.api"
COUNTRY = "country"
BASE_URL = "base.url"
AUTHORIZE_URL = "oauth.authorization.url"
TOKEN_URL = "oauth.token.url"
REFRESH_URL = "oauth.token.refresh_url"
REVOKE_URL = "oauth.token.revoke_url"

V3, V31 = "v3", "v3.1"

# Hosts of v3 or older: they answer 401 to every token of v3.1.
_OLD_HOSTS = re.compile(r"(?:api\.columbus\.sage\.com|oauth\.(?:na|eu)\.sageone\.com|app\.sageone\.com|mysageone\..+)")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_V3_PATH = "/accounts/v3"


@dataclass(frozen=True, slots=True)
class _Region:
    oauth: str
    segment: str


_NORTH_AMERICA, _EUROPE, _BRITAIN = (
    "https://oauth.na.sageone.com",
    "https://oauth.eu.sageone.com",
    "https://app.sageone.com",
)
_REGIONS = {
    "CA": _Region(_NORTH_AMERICA, "ca"),
    "US": _Region(_NORTH_AMERICA, "us"),
    "DE": _Region(_EUROPE, "de"),
    "ES": _Region(_EUROPE, "es"),
    "FR": _Region(_EUROPE, "fr"),
    "GB": _Region(f"{_BRITAIN}/oauth2", "uki"),
    "IE": _Region(f"{_BRITAIN}/oauth2", "uki"),
}
COUNTRIES = tuple(_REGIONS)


def is_v3(config: Config) -> bool:
    return bool(config.get(API) == V3)


def checked_address(text: str) -> str:
    """A URL that secrets may be sent to: https, or plain http on this machine for a sandbox."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not host or not is_safe or "@" in parts.netloc or re.search(r"[\s#\\]", text):
        raise ConfigurationError(
            f"{text[:80]!r} is not a URL that secrets may be sent to",
            hint="expected https://...; plain http only for a sandbox on this machine",
        )
    return text.rstrip("/")


def check_generation(config: Config) -> None:
    """Hosts of v3 work only with v3, and v3 has hosts only if a country is set."""
    if is_v3(config):
        if not config.get(COUNTRY) and not all(config.get(key) for key in (BASE_URL, TOKEN_URL)):
            raise ConfigurationError("API v3 has its own host in each country", where=COUNTRY, hint="e.g. US or GB")
        return
    for key in (BASE_URL, TOKEN_URL, REFRESH_URL, REVOKE_URL):
        host = urlsplit(str(config.get(key) or "")).hostname or ""
        if _OLD_HOSTS.fullmatch(host):
            raise ConfigurationError(
                f"{host} is a host of API v3, but sageone.api is {V31}",
                where=key,
                hint=f"remove {key}, or set {API} to {V3} as long as Sage supports it",
            )


def base_url(config: Config) -> str:
    given = config.get(BASE_URL)
    if not is_v3(config):
        return given or "https://api.accounting.sage.com/v3.1"
    # URLs that Cloud Elements stored lack the part that names the API.
    url: str = given or f"https://api.columbus.sage.com/{_region(config).segment}/sageone"
    return url if url.endswith(_V3_PATH) else url + _V3_PATH


def authorize_url(config: Config) -> str:
    given = config.get(AUTHORIZE_URL)
    if is_v3(config):
        return given or "https://www.sageone.com/oauth2/auth"
    url = given or "https://www.sageone.com/oauth2/auth/central"
    country = config.get(COUNTRY)
    # With a country Sage skips its page of flags; without the filter that page shows countries that v3.1 lacks.
    wanted = {"filter": "apiv3.1"} | ({"country": country.lower()} if country else {})
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(wanted)}"


def token_url(config: Config) -> str:
    return config.get(TOKEN_URL) or f"{_oauth_host(config)}/token"


def revoke_url(config: Config) -> str:
    return config.get(REVOKE_URL) or f"{_oauth_host(config)}/revoke"


def _oauth_host(config: Config) -> str:
    return _region(config).oauth if is_v3(config) else "https://oauth.accounting.sage.com"


def _region(config: Config) -> _Region:
    country = str(config.get(COUNTRY) or "").upper()
    try:
        return _REGIONS[country]
    except KeyError:
        raise ConfigurationError(
            f"Sage's API v3 does not support {country or 'an unnamed country'}",
            where=COUNTRY,
            hint=f"use one of {', '.join(COUNTRIES)}",
        ) from None
