"""Loads an instance's configuration with the schema of its element."""

from __future__ import annotations

import difflib
import functools
import re
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, missing

from .. import hints
from ..errors import ConfigurationError
from ..secrets import holds_telling_name
from .configuration import EventConfiguration, OAuthConfiguration
from .entries import parse_json, poller_entry_schema
from .keys import POLLER_CONFIGURATION
from .problems import describe_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..model import Config, Element

# Keys of Cloud Elements whose names look secret, although they hold only an address or a duration.
_NOT_SECRET = re.compile(r"^oauth\.(token\.|user\.refresh_(interval|time))", re.IGNORECASE)


@functools.cache
def configuration_schema(element: Element) -> Schema:
    """The schema of an element's instances; the `data_key`s are the dotted keys, and unknown keys are kept."""
    oauth: list[type[Schema]] = [OAuthConfiguration] if element.oauth else []
    # An element without keys of its own has the bare Schema, which Python refuses as a base before its subclasses.
    own = [] if element.config_schema is Schema else [element.config_schema]
    parts: list[type[Schema]] = [*own, *oauth, EventConfiguration]
    joined = type(f"{element.key}Configuration", tuple(parts), {"Meta": type("Meta", (), {"unknown": INCLUDE})})
    schema: Schema = joined()
    return schema


def default_configuration(element: Element) -> dict[str, Any]:
    """The configuration before anybody fills it in."""
    schema = configuration_schema(element)
    return {field.data_key or name: default_of(field) for name, field in schema.fields.items()}


def default_of(field: fields.Field[Any]) -> Any:
    """The value of a key that is left out; None for a required key."""
    value = field.load_default() if callable(field.load_default) else field.load_default
    return None if value is missing else value


def load_configuration(element: Element, raw: Mapping[str, Any]) -> Config:
    """Check and convert an instance's configuration; the answer has every key of the schema, by its dotted name."""
    schema = configuration_schema(element)
    try:
        loaded = schema.load(dict(raw))
    except ValidationError as error:
        raise ConfigurationError(
            describe_problems(error), where="configuration", hint=hints.element_keys(element.key)
        ) from None
    return {_dotted(schema, name): value for name, value in loaded.items()}


def is_secret(element: Element, key: str) -> bool:
    """Whether a configuration value must be encrypted and masked: the schema says so, or an unknown key's name does."""
    for field in configuration_schema(element).fields.values():
        if field.data_key == key:
            return bool(field.metadata.get("secret"))
    return holds_telling_name(key) and not _NOT_SECRET.match(key)


def misspelt(element: Element, raw: Mapping[str, Any]) -> Iterator[str]:
    """A warning for each unknown key that looks like a known one."""
    known = [_dotted(configuration_schema(element), name) for name in configuration_schema(element).fields]
    yield from _misspelt("configuration", raw, known)
    entries = raw.get(POLLER_CONFIGURATION)
    entries = parse_json(entries) if isinstance(entries, str) else entries or {}
    keys = [_dotted(poller_entry_schema(), name) for name in poller_entry_schema().fields]
    for resource, entry in entries.items():
        yield from _misspelt(f"{POLLER_CONFIGURATION}.{resource}", entry, keys)


def _misspelt(where: str, given: Mapping[str, Any], known: Sequence[str]) -> Iterator[str]:
    for key in given:
        meant = difflib.get_close_matches(key, known, n=1, cutoff=0.85)
        if meant and key not in known:
            yield f"{where}: {key!r} is kept, but nothing reads it: did you mean {meant[0]!r}?"


def _dotted(schema: Schema, name: str) -> str:
    field = schema.fields.get(name)
    return (field.data_key or name) if field else name
