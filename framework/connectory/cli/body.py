"""Makes the body of `POST /instances` from a file and the options of a command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from .moments import seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..app import Elements

SANDBOX = "sandbox"
"""This tag marks the instances of a sandbox, to tell them from real ones. Their default name ends with it, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceOptions:
    """What the command line says about an instance.

    `sandboxed` is the configuration that a sandbox asks for; it is empty without a sandbox.
    """

    element: str
    file: Path | None = None
    settings: Sequence[str] = ()
    resources: Sequence[str] = ()
    interval: str | None = None
    callback_url: str | None = None
    signature_key: str | None = None
    name: str | None = None
    tags: Sequence[str] = ()
    first_poll: str | None = None
    code: str | None = None
    browser: bool = True
    sandboxed: dict[str, Any] = field(default_factory=dict)

    @property
    def configures(self) -> bool:
        """Whether any option changes the configuration of an instance that exists."""
        given = (self.file, self.settings, self.resources, self.interval, self.callback_url, self.signature_key)
        return any(given) or bool(self.sandboxed)


def body_of(options: InstanceOptions, elements: Elements) -> dict[str, Any]:
    """The body that a file and options make together; an option wins over the file."""
    body = read_body(options.file)
    key = choose_element(body, options.element)
    given = body.get("configuration")
    configuration: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    if isinstance(given, dict) or given is None:
        body["configuration"] = configuration
    _configure(configuration, options, key, elements)
    if options.name is not None:
        body["name"] = options.name
    if options.tags:
        body["tags"] = list(options.tags)
    if options.code is not None:
        body["providerData"] = {"code": options.code}
    if options.sandboxed:
        _make_sandboxed(body, options, key)
    return body


def _configure(configuration: dict[str, Any], options: InstanceOptions, key: str, elements: Elements) -> None:
    from ..app import LOOPBACK_CALLBACK
    from ..schemas import (
        CALLBACK_URL,
        FIRST_POLL,
        NOTIFICATIONS_ENABLED,
        OAUTH_CALLBACK_URL,
        REFRESH_INTERVAL,
        SIGNATURE_KEY,
    )

    element = elements.get(key)
    configuration |= options.sandboxed | parse_settings(options.settings)
    interval = None if options.interval is None else str(seconds_of(options.interval, "--interval", "m") / 60)
    given = {
        CALLBACK_URL: options.callback_url,
        SIGNATURE_KEY: options.signature_key,
        REFRESH_INTERVAL: interval,
        FIRST_POLL: options.first_poll,
    }
    configuration |= {name: value for name, value in given.items() if value is not None}
    configuration.setdefault(NOTIFICATIONS_ENABLED, True)
    if element.uses_oauth:
        configuration.setdefault(OAUTH_CALLBACK_URL, LOOPBACK_CALLBACK)
    if options.resources:
        only_resources(configuration, options.resources, key, elements)


def _make_sandboxed(body: dict[str, Any], options: InstanceOptions, key: str) -> None:
    if options.code is None:
        # A code in the file belongs to the real provider. The sandbox gives its own code.
        body.pop("providerData", None)
    body.setdefault("name", f"{key}-{SANDBOX}")
    body["tags"] = [*(body.get("tags") or ()), SANDBOX]


def read_body(file: Path | None) -> dict[str, Any]:
    """The JSON object in a file, or an empty object if there is no file."""
    if file is None:
        return {}
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"the file cannot be read: {error.strerror}", where=str(file)) from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"the file is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", where=str(file)
        ) from None
    except RecursionError:
        raise ConfigurationError("the JSON is nested too deeply", where=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigurationError("the file is not text in UTF-8", where=str(file)) from None
    except ValueError as error:
        raise ConfigurationError(f"the file cannot be read as JSON: {error}", where=str(file)) from None
    if not isinstance(body, dict):
        raise ConfigurationError("expected a JSON object, the body of POST /instances", where=str(file))
    return body


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(
                f"{pair!r} is not key=value", where="--set", hint="e.g. --set servicenow.subdomain=acme"
            )
        found[key.strip()] = value
    return found


def choose_element(body: dict[str, Any], key: str | None) -> str:
    """The element that the command names; if the body names one too, it must be the same."""
    element = body.get("element", {})
    named = element.get("key") if isinstance(element, dict) else element
    if not isinstance(element, dict) or not isinstance(named, str | None):
        raise ConfigurationError(
            f"expected an object with the element's key, got {named!r}", where="element", hint='e.g. {"key": "sageone"}'
        )
    if key and named and key != named:
        raise ConfigurationError(f"the file is for the element {named!r}, not for {key!r}", where="element.key")
    chosen = key or named
    if not chosen:
        raise ConfigurationError(
            "the command does not say which element to use", hint="name one, or put element.key into the file"
        )
    body["element"] = {"key": chosen}
    return str(chosen)


def only_resources(configuration: dict[str, Any], names: Sequence[str], key: str, elements: Elements) -> None:
    """Poll only the named resources, with their entries in the configuration or else with the element's defaults."""
    from ..schemas import POLLER_CONFIGURATION

    given = configuration.get(POLLER_CONFIGURATION)
    given = json.loads(given) if isinstance(given, str) and given.strip() else given or {}
    known = {**elements.pollers(key, configuration), **given}
    entries = {}
    for name in names:
        if name not in known:
            hint = f"{key} has {', '.join(dict.fromkeys([*given, *known]))}"
            raise ConfigurationError(f"unknown resource {name!r}", where="--resource", hint=hint)
        entries[name] = dict(known[name])
    configuration[POLLER_CONFIGURATION] = entries
