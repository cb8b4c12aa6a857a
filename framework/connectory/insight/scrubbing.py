"""Removes secrets, by name and by value, from explanations and recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..secrets import MASK, Secret, redactor, tells_a_secret

if TYPE_CHECKING:
    from ..model import Config, Params


def learn_secrets(config: Config) -> None:
    """Make the secrets of a configuration known to the redactor."""
    redactor.learn(*(value for value in config.values() if isinstance(value, Secret)))


def scrub_params(params: Params) -> Params:
    return tuple((name, scrub_value(name, value)) for name, value in params)


def scrub_value(name: str, value: str) -> str:
    return MASK if tells_a_secret(name) else redactor.scrub(value)


def scrub_body(body: bytes) -> bytes:
    """A body without secrets. JSON keeps its shape, and a body without secrets is not changed at all."""
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return redactor.scrub(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    scrubbed = scrub_json(content)
    return body if scrubbed == content else msgspec.json.encode(scrubbed)


def scrub_json(value: Any) -> Any:
    if isinstance(value, str):
        return redactor.scrub(value)
    if isinstance(value, list):
        return [scrub_json(item) for item in value]
    if isinstance(value, dict):
        return {name: _scrub_field(name, item) for name, item in value.items()}
    return value


def _scrub_field(name: str, value: Any) -> Any:
    # None, "" and booleans are never secret; any other value under a secret-looking name is.
    if value in (None, "") or isinstance(value, bool) or not tells_a_secret(name):
        return scrub_json(value)
    return MASK
