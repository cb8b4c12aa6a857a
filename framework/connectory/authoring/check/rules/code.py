"""Rules about the plugin's code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..rule import Outcome, Rule, Tier, met_unless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..subject import Subject

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_documented(subject: Subject) -> Outcome:
    import sys

    documented = bool((getattr(sys.modules.get(subject.module), "__doc__", None) or "").strip())
    return met_unless([] if documented else [f"{subject.module} has no docstring"])


def all_documented(subject: Subject) -> Outcome:
    return met_unless(
        f"{file} has no docstring"
        for file, tree in subject.trees().items()
        if tree.body and not ast.get_docstring(tree)
    )


def annotated(subject: Subject) -> Outcome:
    return met_unless(
        f"{file}, line {node.lineno}: {node.name} is not annotated"
        for file, tree in subject.trees().items()
        for node in ast.walk(tree)
        if isinstance(node, _Function) and not _is_annotated(node)
    )


def _is_annotated(node: _Function) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    first = arguments[:1] if arguments and arguments[0].arg in {"self", "cls"} else []
    told = all(argument.annotation is not None for argument in arguments[len(first) :])
    # As for mypy, __init__ needs no return type if its arguments have types.
    return told and (node.returns is not None or (node.name == "__init__" and len(arguments) > 1))


def no_output(subject: Subject) -> Outcome:
    return met_unless(
        f"{file}, line {line}: {what}" for file, tree in subject.trees().items() for line, what in _loud(tree)
    )


def _loud(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "prints"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "catches everything, including Ctrl-C"


RULES = (
    Rule(
        id="module-documented",
        tier=Tier.SILVER,
        title="The plugin's module has a docstring",
        reason="It tells readers of the code what the plugin does.",
        cure="Begin the module that the entry point names with a sentence about the system that it connects.",
        check=module_documented,
    ),
    Rule(
        id="quiet",
        tier=Tier.GOLD,
        title="It prints nothing, and Ctrl-C stops it",
        reason="Commands write JSON for programs to the standard output, and people press Ctrl-C.",
        cure="Use logging instead of print, and except Exception, or a narrower one, instead of a bare except.",
        check=no_output,
    ),
    Rule(
        id="annotated",
        tier=Tier.PLATINUM,
        title="Every function is annotated",
        reason="A type checker then finds mistakes that otherwise only a rare answer of the provider would show.",
        cure="Annotate arguments and results with the types of connectory.model; mypy --strict finds the gaps.",
        check=annotated,
    ),
    Rule(
        id="all-documented",
        tier=Tier.PLATINUM,
        title="Every module has a docstring",
        reason="A new maintainer then finds the place for a change at once.",
        cure="Say in the first line what the module is for.",
        check=all_documented,
    ),
)
