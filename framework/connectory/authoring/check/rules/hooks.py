"""Rules about how the plugin answers the hooks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ....hookspecs import API_VERSION
from ....plugins.compatibility import ATTRIBUTE, hook_names
from ..rule import MET, Outcome, Rule, Tier, met_unless, not_applicable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..subject import Subject

_NEEDED = ("connect_build_auth", "connect_list_resources")
_INSIDE = (
    "connectory.app",
    "connectory.insight",
    "connectory.polling",
    "connectory.deletions",
    "connectory.instances",
    "connectory.records",
    "connectory.plans",
    "connectory.delivery",
    "connectory.store",
    "connectory.cli",
    "connectory.authoring",
)


def marked(subject: Subject) -> Outcome:
    return met_unless(_unmarked(subject))


def _unmarked(subject: Subject) -> Iterator[str]:
    known = hook_names()
    for name, function in subject.functions():
        if not hasattr(function, "connectory_impl"):
            what = "it is not marked" if name in known else "it is not marked, and there is no such hook"
            yield f"{name}: {what}"


def answered(subject: Subject) -> Outcome:
    if not subject.elements:
        return not_applicable("it provides no element")
    return met_unless(f"{name} is not answered" for name in _NEEDED if name not in subject.info.hooks)


def version_declared(subject: Subject) -> Outcome:
    return MET if subject.info.api is not None else met_unless([f"{ATTRIBUTE} is not set"])


def published_only(subject: Subject) -> Outcome:
    return met_unless(
        f"{file}, line {line}: imports {name}"
        for file, tree in subject.trees().items()
        for line, name in _imports(tree)
        if name.startswith(_INSIDE)
    )


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


RULES = (
    Rule(
        id="hooks-marked",
        tier=Tier.BRONZE,
        title="Every function that is named like a hook is marked as one",
        reason="A function without the mark is silently ignored.",
        cure="Put @hookimpl above it, or choose a name that does not begin with connect_.",
        check=marked,
    ),
    Rule(
        id="hooks-answered",
        tier=Tier.BRONZE,
        title="It answers the hooks that an element needs",
        reason="Without connect_build_auth no request can be signed; without connect_list_resources none is made.",
        cure="Implement them; docs/howto/write-an-element-in-one-file.md shows both in a line each.",
        check=answered,
    ),
    Rule(
        id="api-version",
        tier=Tier.SILVER,
        title="It says which version of the hooks it was written for",
        reason="A later Connectory can then refuse it with a clear message instead of failing in the middle.",
        cure=f"Add {ATTRIBUTE} = {API_VERSION} to the module that the entry point names.",
        check=version_declared,
    ),
    Rule(
        id="published-only",
        tier=Tier.GOLD,
        title="It imports only what the framework publishes",
        reason="The other modules change without notice.",
        cure="Import from connectory, or from the flat modules beside it, such as connectory.model.",
        check=published_only,
    ),
)
