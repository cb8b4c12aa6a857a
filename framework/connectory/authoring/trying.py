"""A made-up instance, so that a plugin can be asked questions without a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..auth import Token
from ..errors import AuthenticationError
from ..schemas import default_configuration, load_configuration
from ..secrets import Secret

if TYPE_CHECKING:
    from ..model import Config, Element

SANDBOX_URL = "http://127.0.0.1:8092"
"""The made-up address of a sandbox. Nothing listens there."""


def configuration_of(element: Element, sandbox: Any) -> Config:
    """The configuration that the sandbox asks for; without a sandbox, the defaults of the element."""
    configuration = getattr(sandbox, "configuration", None)
    if configuration is None:
        return default_configuration(element)
    return load_configuration(element, configuration(SANDBOX_URL))


class NoTokens:
    """A `TokenSource` whose token no provider accepts."""

    def current(self) -> Token:
        return Token(access_token=Secret("no-token"))

    def renew(self, rejected: str) -> Token:
        raise AuthenticationError("this made-up instance has no login to renew")
