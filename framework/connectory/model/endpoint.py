"""A provider's URLs, which may depend on an instance's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Config = Mapping[str, Any]
"""An instance's configuration after loading: the keys are flat and dotted, secrets are of type `Secret`."""

Endpoint = str | Callable[[Config], str]
"""A URL, or a function that builds it from an instance's configuration."""


def resolve_endpoint(endpoint: Endpoint, config: Config) -> str:
    return endpoint if isinstance(endpoint, str) else endpoint(config)
