"""Rules about the configuration keys of the elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from ....schemas import EventConfiguration, OAuthConfiguration
from ..rule import Rule, Tier
from .element import per_element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....model import Element
    from ..subject import Subject

_SECRET = re.compile(
    r"secret|passw|passphrase|credential|(^|[._])token$|((^|[._])(api|private|signature|subscription|access))[._]?key$"
    r"|^[^.]+[._]key$",
    re.IGNORECASE,
)
_UNTYPED = (fields.Field, fields.Raw)


def key_of(field: fields.Field[Any]) -> str:
    return field.data_key or str(field.name)


@per_element
def typed(subject: Subject, element: Element) -> Iterator[str]:
    for field in subject.own_fields(element):
        if type(field) in _UNTYPED:
            yield f"{key_of(field)} has no type"
        if field.data_key is None:
            yield f"{field.name} has no data_key, the dotted name that people write"


@per_element
def no_clash(subject: Subject, element: Element) -> Iterator[str]:
    schemas = [EventConfiguration, OAuthConfiguration] if element.oauth else [EventConfiguration]
    common = {key_of(field): name for schema in schemas for name, field in schema().fields.items()}
    for field in subject.own_fields(element):
        if key_of(field) in common:
            yield f"{key_of(field)} is a key that every such element has"
        if field.name in common.values():
            yield f"{key_of(field)} is the attribute {field.name!r}, which the framework's own schema has too"


@per_element
def secrets_marked(subject: Subject, element: Element) -> Iterator[str]:
    for field in subject.own_fields(element):
        if _SECRET.search(key_of(field)) and not field.metadata.get("secret"):
            yield f"{key_of(field)} is not marked as a secret"


@per_element
def described(subject: Subject, element: Element) -> Iterator[str]:
    for field in subject.own_fields(element):
        missing = [name for name in ("label", "description") if not field.metadata.get(name)]
        if missing:
            yield f"{key_of(field)} has no {' and no '.join(missing)}"


RULES = (
    Rule(
        id="configuration-typed",
        tier=Tier.BRONZE,
        title="Every configuration key has a type and a dotted name",
        reason="A wrong value is then refused when the instance is created, under the name that people wrote.",
        cure='Use a marshmallow field such as fields.String(data_key="demo.url") instead of fields.Raw.',
        check=typed,
    ),
    Rule(
        id="configuration-own",
        tier=Tier.BRONZE,
        title="Its configuration keys are its own",
        reason="If the framework's schema has the same key or attribute, one of the two replaces the other.",
        cure="Begin data_key and the attribute's name with the element's key.",
        check=no_clash,
    ),
    Rule(
        id="secrets-marked",
        tier=Tier.BRONZE,
        title="Secrets are marked",
        reason="Only marked values are encrypted in the store and masked in logs and output.",
        cure="Use connectory.schemas.SecretField for it, or metadata={'secret': True}.",
        check=secrets_marked,
    ),
    Rule(
        id="configuration-described",
        tier=Tier.SILVER,
        title="Every configuration key has a label and a description",
        reason="`connect elements show` and forms show them, so that people do not have to guess.",
        cure='Add metadata={"label": "...", "description": "..."} to the field: what it is, and where to find it.',
        check=described,
    ),
)
