"""A draft: an instance that was checked completely, with its poll URLs and date patterns, before anything is stored."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..plans.entries import compile_plans
from ..schemas import is_secret, load_configuration, load_instance_body, misspelt
from ..secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..model import Config, Element
    from ..plans.plan import Plan
    from ..plugins import Plugins
    from ..store.instances import InstanceRow
    from .parts import Parts

_TAG = re.compile(r"<[^>]*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An instance that was checked and is not stored yet."""

    element: Element
    name: str
    tags: Sequence[str]
    raw: Mapping[str, Any]
    config: Config
    plans: Mapping[str, Plan]
    provider_data: Mapping[str, Any]
    external: str

    @property
    def warnings(self) -> list[str]:
        return _warnings(self.element, self.raw, self.plans)

    @property
    def needs_consent(self) -> bool:
        """Whether a person must allow the access in a browser before the instance can be created."""
        if self.element.oauth is None or self.external == "initial":
            return False
        return not self.provider_data.get("code") and not (self.config.get("username") and self.config.get("password"))


def prepare(plugins: Plugins, body: Any) -> Draft:
    """Check the body of `POST /instances`. The provider is not asked, and nothing is written."""
    loaded = load_instance_body(body)
    element = _element_of(plugins, loaded["element"])
    config = load_configuration(element, loaded["configuration"])
    refuse_masked(element, loaded["configuration"])
    name = clean_name(loaded["name"] or element.key)
    return Draft(
        element=element,
        name=name,
        tags=clean_tags(loaded["tags"]) if loaded["tags"] is not None else [name],
        raw=loaded["configuration"],
        config=config,
        plans=compile_plans(element, config, plugins),
        provider_data=loaded["provider_data"],
        external=loaded["external_authentication"],
    )


def draft_of(parts: Parts, row: InstanceRow, code: str | None = None) -> Draft:
    """A stored instance as a draft, to log in again: by a consent, or with a code that was obtained elsewhere."""
    with parts.database.read() as connection:
        raw = parts.vault.open(connection, row)
    element = parts.plugins.element(row.element_key)
    return Draft(
        element=element,
        name=row.name,
        tags=row.tags,
        raw=raw,
        config=load_configuration(element, raw),
        plans={},
        provider_data={"code": code} if code else {},
        external="none",
    )


def warnings_of(parts: Parts, row: InstanceRow) -> list[str]:
    """What a person should know about a stored instance's configuration."""
    with parts.database.read() as connection:
        raw = parts.vault.open(connection, row)
    return _warnings(parts.plugins.element(row.element_key), raw, parts.runtimes.get(row.id).plans)


def refuse_masked(element: Element, raw: Mapping[str, Any]) -> None:
    """Refuse the asterisks that are shown in place of a secret."""
    masked = sorted(key for key, value in raw.items() if value == MASK and is_secret(element, key))
    if masked:
        raise ConfigurationError(
            f"{MASK} is shown in place of a secret, it is not the secret itself",
            where=f"configuration.{masked[0]}",
            hint="give the secret itself",
        )


def clean_name(name: str) -> str:
    """A name without markup, as in Cloud Elements, and without control characters, which control a terminal."""
    return _printable(html.unescape(_TAG.sub("", name))) or "unnamed"


def clean_tags(tags: Sequence[str]) -> list[str]:
    return [shown for tag in tags if (shown := _printable(tag))]


def _printable(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _element_of(plugins: Plugins, reference: Mapping[str, Any]) -> Element:
    key, number = reference.get("key"), reference.get("id")
    if key:
        return plugins.element(key)
    for element in plugins.elements():
        if number is not None and element.id == number:
            return element
    if number is not None:
        return plugins.element(str(number))
    raise ConfigurationError("the body names no element", where="element.key", hint='e.g. "element": {"key": "..."}')


def _warnings(element: Element, raw: Mapping[str, Any], plans: Mapping[str, Plan]) -> list[str]:
    of_plans = [f"{name}: {warning}" for name, plan in plans.items() for warning in plan.warnings]
    return [*misspelt(element, raw), *of_plans]
