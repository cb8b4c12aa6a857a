"""Makes the body of `POST /instances` from a file and options."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..app import Elements

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", re.IGNORECASE)
_LONGEST = 366 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def read_body(file: Path | None) -> dict[str, Any]:
    """The JSON object of a file; an empty one without a file."""
    if file is None:
        return {}
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(file)) from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"this is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", where=str(file)
        ) from None
    except RecursionError:
        raise ConfigurationError("this is nested too deeply", where=str(file)) from None
    except UnicodeDecodeError:
        raise ConfigurationError("this is not text in UTF-8", where=str(file)) from None
    except ValueError as error:
        raise ConfigurationError(f"this cannot be read as JSON: {error}", where=str(file)) from None
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


def seconds_of(text: str, option: str, unit: str) -> float:
    """A duration such as 30s, 5m or 1h; a bare number counts `unit`s."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ConfigurationError(f"{text!r} is no duration", where=option, hint="write e.g. 30s, 5m or 1h")
    seconds = float(match[1]) * _SECONDS[(match[2] or unit).lower()]
    if seconds > _LONGEST:
        raise ConfigurationError(f"{text!r} is longer than a year", where=option, hint="leave it out to go on for ever")
    return seconds


def choose_element(body: dict[str, Any], key: str | None) -> str:
    """The element that a command names, which must be the body's where that names one too."""
    element = body.get("element", {})
    named = element.get("key") if isinstance(element, dict) else element
    if not isinstance(element, dict) or not isinstance(named, str | None):
        raise ConfigurationError(
            f"expected an object with the element's key, got {named!r}", where="element", hint='e.g. {"key": "sageone"}'
        )
    if key and named and key != named:
        raise ConfigurationError(f"the file is for the element {named!r}, not {key!r}", where="element.key")
    chosen = key or named
    if not chosen:
        raise ConfigurationError("no element is named", hint="name it, or put element.key into the file")
    body["element"] = {"key": chosen}
    return str(chosen)


def only_resources(configuration: dict[str, Any], names: Sequence[str], key: str, elements: Elements) -> None:
    """Poll the named resources only: by the entries of the configuration, else by the element's defaults."""
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
