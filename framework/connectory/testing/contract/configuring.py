"""Checks: the configuration schema accepts what is valid, and names what is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from ...errors import ConfigurationError, ConnectoryError
from ...schemas import configuration_schema, load_configuration
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marshmallow import Schema

    from .world import World

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TELLING = {"secret", "password", "passwd", "passphrase", "token", "key", "pin", "credential", "credentials"}
_HARMLESS = {"url", "uri", "id", "name", "type", "path", "interval", "time", "expiry", "field", "header", "param"}


def own_fields(world: World) -> dict[str, fields.Field[Any]]:
    """The element's own fields by their dotted keys."""
    schema: Schema = world.element.config_schema()
    return {field.data_key or name: field for name, field in schema.fields.items()}


class Configuring(ContractBase):
    def test_schema_declares_what_is_configured(self, world: World) -> None:
        schema = configuration_schema(world.element)
        declared = {field.data_key or name for name, field in schema.fields.items()}
        undeclared = sorted(set(world.configuration()) - declared)
        demand(
            not undeclared,
            f"the sandbox's configuration has {', '.join(undeclared)}, which the schema does not declare: it accepts"
            " anything under these names",
            "declare each key that the element reads as a field of its config_schema, with data_key",
        )

    def test_missing_keys_are_refused(self, world: World) -> None:
        given = world.configuration()
        for key, field in own_fields(world).items():
            if not field.required:
                continue
            error = _refusal(world, {name: value for name, value in given.items() if name != key})
            demand(
                error is not None and key in str(error),
                f"a configuration without {key}, which is required, is not refused by name",
                f"set required=True for {key} in the schema, without a load_default",
            )

    def test_wrong_values_are_refused(self, world: World) -> None:
        given = world.configuration()
        for key, field in own_fields(world).items():
            if isinstance(field, fields.Dict | fields.Nested):
                wrong: Any = "not an object"
            elif isinstance(field, fields.List):
                wrong = 7
            else:
                wrong = {"an": "object"}
            error = _refusal(world, given | {key: wrong})
            demand(
                error is not None and key in str(error),
                f"{key} accepts {wrong!r}",
                f"give {key} a field with a type (String, Integer, Boolean, SecretField ...) instead of"
                f" {type(field).__name__}",
            )

    def test_defaults_are_enough(self, world: World) -> None:
        needed = {
            field.data_key or name
            for name, field in configuration_schema(world.element).fields.items()
            if field.required
        }
        given = {key: value for key, value in world.configuration().items() if key in needed}
        error = _refusal(world, given)
        demand(
            error is None,
            f"a configuration with the required keys alone is refused: {error}",
            "give every other key a load_default that its field accepts, or make it required",
        )

    def test_defaults_can_be_used(self, world: World) -> None:
        given = world.configuration()
        optional = [key for key, field in own_fields(world).items() if not field.required]
        for key in optional:
            if key not in given:
                demand(
                    key in world.config,
                    f"{key} has no default, so a hook that reads it fails if it is not set",
                    f"give {key} a load_default (None with allow_none=True if there is no sensible value)",
                )

    def test_secrets_are_marked(self, world: World) -> None:
        for key, field in own_fields(world).items():
            if isinstance(field, fields.Boolean | fields.Number) or not _sounds_secret(key):
                continue
            demand(
                field.metadata.get("secret"),
                f"{key} sounds like a secret but is not marked as one: it would be stored and printed in clear text",
                f"make {key} a connectory.schemas.SecretField, or give it another name",
            )


def _refusal(world: World, configuration: Mapping[str, Any]) -> ConfigurationError | None:
    try:
        load_configuration(world.element, configuration)
    except ConfigurationError as error:
        return error
    except ConnectoryError as error:
        broken(
            f"a wrong configuration ends with {type(error).__name__}: {error}", "raise marshmallow's ValidationError"
        )
    return None


def _sounds_secret(key: str) -> bool:
    words = [word.lower() for word in _WORD.findall(key)]
    return bool(words) and words[-1] not in _HARMLESS and bool(_TELLING & set(words))
