"""Rules about the plugin's README."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..rule import Outcome, Rule, Tier, met_unless
from .configuration import key_of
from .element import per_element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....model import Element
    from ..subject import Subject

_LEAST_README = 200
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"<[^<>\s]+>")


def readme(subject: Subject) -> Outcome:
    text = subject.project.readme
    problem = "there is no README" if not text.strip() else f"the README has only {len(text.strip())} characters"
    return met_unless([] if len(text.strip()) >= _LEAST_README else [problem])


@per_element
def keys_documented(subject: Subject, element: Element) -> Iterator[str]:
    text = subject.project.readme
    patterns = [_as_pattern(code) for code in _CODE.findall(text) if _PLACE.search(code)]
    for field in subject.own_fields(element):
        key = key_of(field)
        if key not in text and not any(pattern.fullmatch(key) for pattern in patterns):
            yield f"the README does not mention {key}"


def _as_pattern(code: str) -> re.Pattern[str]:
    """`demo.<resource>.filter` stands for a key of each resource."""
    return re.compile(r"[^.]+".join(map(re.escape, _PLACE.split(code))))


@per_element
def resources_documented(subject: Subject, element: Element) -> Iterator[str]:
    words = set(re.findall(r"[\w-]+", subject.project.readme.lower()))
    for resource in subject.polled(element):
        if resource.name.lower() not in words:
            yield f"the README does not mention {resource.name}"


RULES = (
    Rule(
        id="readme",
        tier=Tier.BRONZE,
        title="It has a README",
        reason="It is the first page that people see: what the plugin connects, and what it needs.",
        cure='Write README.md and name it in pyproject.toml: readme = "README.md".',
        check=readme,
    ),
    Rule(
        id="keys-documented",
        tier=Tier.GOLD,
        title="The README explains every configuration key",
        reason="People look there to find out where the provider shows a value.",
        cure="Add a table of the keys; `demo.<resource>.filter` stands for one key per resource.",
        check=keys_documented,
    ),
    Rule(
        id="resources-documented",
        tier=Tier.GOLD,
        title="The README names every resource that is polled",
        reason="People search for the records that interest them.",
        cure="List the resources, with what is special about each one.",
        check=resources_documented,
    ),
)
