"""An instance that nobody has: what a plugin is asked about where there is no provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..auth import Token
from ..errors import AuthenticationError
from ..schemas import default_configuration, load_configuration
from ..secrets import Secret

if TYPE_CHECKING:
    from ..model import Config, Element

SANDBOX_URL = "http://127.0.0.1:8092"
"""Nothing listens there; a sandbox says what an instance would need to use it behind this address."""


def configuration_of(element: Element, sandbox: Any) -> Config:
    """The configuration of an instance of the sandbox; where there is none, the one that nobody has filled in."""
    configuration = getattr(sandbox, "configuration", None)
    if configuration is None:
        return default_configuration(element)
    return load_configuration(element, configuration(SANDBOX_URL))


class NoTokens:
    """A `TokenSource` whose token opens nothing."""

    def current(self) -> Token:
        return Token(access_token=Secret("no-token"))

    def renew(self, rejected: str) -> Token:
        raise AuthenticationError("there is no login here that could be renewed")
