"""The address of an instance: turns what people write into an origin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectory.errors import ConfigurationError

if TYPE_CHECKING:
    from connectory.model import Config

SUBDOMAIN = "servicenow.subdomain"
EXPECTED = "expected a subdomain such as acme, a host such as acme.service-now.com, or a URL such as https://acme.service-now.com"

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The second domain is the government cloud. An instance with its own domain has one of these as well.
_DOMAIN = r"service-now\.com|servicenowservices\.com"
_TAIL = r"(?:[/?#][!-~]*)?"
_NAME = re.compile(_LABEL, re.IGNORECASE)
_HOST = re.compile(rf"(?:https://)?({_LABEL}\.(?:{_DOMAIN}))(?::443)?{_TAIL}", re.IGNORECASE)
_LOOPBACK = re.compile(rf"(https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{{1,5}})?){_TAIL}", re.IGNORECASE)


def instance_url(text: str) -> str:
    """The origin of an instance: only scheme and host, built anew instead of cut from the text."""
    text = text.strip()
    if _NAME.fullmatch(text):
        return f"https://{text.lower()}.service-now.com"
    if match := _HOST.fullmatch(text):
        return f"https://{match[1].lower()}"
    if match := _LOOPBACK.fullmatch(text):
        return match[1].lower()
    # The part before an @ may be a password.
    shown = f"...@{text.rpartition('@')[2]}" if "@" in text else text
    raise ConfigurationError(f"{shown[:80]!r} does not name a ServiceNow instance: {EXPECTED}", where=SUBDOMAIN)


def base_url(config: Config) -> str:
    subdomain = config.get(SUBDOMAIN)
    if not isinstance(subdomain, str) or not subdomain.strip():
        raise ConfigurationError("the ServiceNow instance is not set", where=SUBDOMAIN, hint=EXPECTED)
    return instance_url(subdomain)
