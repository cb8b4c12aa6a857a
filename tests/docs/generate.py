"""Writes the pages of `docs/reference` out of the code: `make docs`. A test fails when one of them is stale."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import importlib
import inspect
import itertools
import re
import sys
from pathlib import Path

import connectory
import connectory.sandbox as sandbox
from connectory import hookspecs
from connectory.authoring.check import RULES, Tier
from connectory.plugins import builtin
from connectory.plugins.compatibility import hook_names

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
NOTE = "<!-- Written by `make docs` out of the code. -->\n"

HEADINGS = {
    "app": "The application",
    "auth": "Auth",
    "ceql": "Queries",
    "dates": "Dates",
    "deletes": "Deletions",
    "errors": "Errors",
    "hookspecs": "Hooks",
    "http": "Requests",
    "ratelimits": "Limits",
    "model": "What a plugin says, and is told",
    "paging": "Paging",
    "secrets": "Secrets",
    "signing": "Signatures",
    "translate": "Translating queries",
    "verdicts": "Verdicts",
}


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {"hooks.md": hooks(), "parts.md": parts(), "sandbox.md": sandbox_parts(), "tiers.md": tiers()}


# The hooks

_HOOKS_HEAD = f"""{NOTE}# Hooks

{{rest}}

This is version {{version}} of the hooks. A plugin says which version it was written for with
`connectory_api = {{version}}` in the module that its entry point names. A plugin for another version is quarantined,
and `connect plugins` shows the reason.
Nothing was released yet, so the hooks may still change. From the first release on, Connectory will take plugins for its
own version of the hooks and for the one before.

`connect plugins --trace ELEMENT` shows who answers what. An answer takes the arguments that it needs, by name:

```python
from connectory import BearerAuth, hookimpl


@hookimpl
def connect_build_auth(tokens):
    return BearerAuth(tokens)
```
"""


def hooks() -> str:
    head = _HOOKS_HEAD.format(
        rest=inspect.getdoc(hookspecs).partition("\n")[2].strip(),
        version=hookspecs.API_VERSION,
    )
    return head + "".join(_hook(name) for name in hook_names())


def _hook(name: str) -> str:
    function = getattr(hookspecs, name)
    lines = [f"\n## {name}\n", f"```python\n{name}{_signature(function)}\n```\n", inspect.getdoc(function)]
    if hasattr(builtin, name):
        lines.append("\nWhere no plugin answers, the framework does.")
    return "\n".join(lines) + "\n"


# The parts

_PARTS_HEAD = f"""{NOTE}# Parts

What a plugin is made of. Everything here is imported from `connectory`, and a test runs every example.
[A sandbox](sandbox.md) has parts of its own; [the hooks](hooks.md) say where they go.
"""

_SANDBOX_HEAD = f"""{NOTE}# Parts of a sandbox

Everything here is imported from `connectory.sandbox`, and a test runs every example.
"""


def parts() -> str:
    places = {name: connectory_home(name) for name in names()}
    text = _PARTS_HEAD
    for home in sorted(set(places.values()), key=lambda home: HEADINGS[home]):
        text += f"\n## {HEADINGS[home]}\n"
        for name in (name for name in names() if places[name] == home):
            text += _part(name, getattr(connectory, name), f"connectory.{home}")
    return text


def sandbox_parts() -> str:
    text = f"{_SANDBOX_HEAD}\n{_text(sandbox)}\n"
    for name in sandbox.__all__:
        text += _part(name, getattr(sandbox, name), sandbox_home(name))
    return text


def names() -> list[str]:
    """The public names of the package's root."""
    return [name for name in connectory.__all__ if not name.startswith("__")]


def connectory_home(name: str) -> str:
    """The module below the root that a public name is from."""
    return connectory._WHERE[name][0]


def sandbox_home(name: str) -> str:
    """The module of the sandbox that a name is from."""
    tree = ast.parse(Path(sandbox.__file__).read_text())
    found = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}
    ]
    return f"{sandbox.__name__}.{found[0]}"


def _part(name: str, value: object, module: str) -> str:
    shown = f"\n### {name}\n\n"
    if inspect.isclass(value) and dataclasses.is_dataclass(value):
        shown += f"```python\n{name}(\n{_fields(value)})\n```\n\n"
    elif inspect.isfunction(value) or (inspect.isclass(value) and _is_made(value)):
        shown += f"```python\n{name}{_signature(value)}\n```\n\n"
    if inspect.isclass(value):
        shown += "".join(f"{part}\n\n" for part in (_text(value), _methods(value)) if part)
        return shown.rstrip() + "\n"
    return f"{shown}{_text(value) if inspect.isfunction(value) else attribute_doc(module, name)}\n"


def _is_made(value: type) -> bool:
    """Whether people call it: protocols are not."""
    return "__init__" in vars(value) and not getattr(value, "_is_protocol", False)


def _fields(value: type) -> str:
    lines = []
    for field in dataclasses.fields(value):
        if field.name.startswith("_"):
            continue
        default = ""
        if field.default is not dataclasses.MISSING:
            default = f" = {_plain(field.default)}"
        elif field.default_factory is not dataclasses.MISSING:
            default = " = ..."
        if field.kw_only and "    *,\n" not in lines:
            lines.append("    *,\n")
        lines.append(f"    {field.name}: {field.type}{default},\n")
    return "".join(lines)


def _methods(value: type) -> str:
    """The public methods and properties that say what they do."""
    lines = []
    for name, member in vars(value).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function) or not inspect.getdoc(function):
            continue
        call = name if isinstance(member, property) else f"{name}{_signature(function, bound=True)}"
        lines.append(f"* `{call}`: {' '.join(inspect.getdoc(function).split(chr(10) + chr(10))[0].split())}\n")
    return "".join(lines)


def _signature(function: object, *, bound: bool = False) -> str:
    signature = inspect.signature(function)
    kept = list(signature.parameters.values())[1 if bound else 0 :]
    # Annotations and defaults as they are written, without quotes and addresses.
    shown = [p.replace(default=_Plain(p.default)) if p.default is not inspect.Parameter.empty else p for p in kept]
    text = str(
        signature.replace(
            parameters=[p.replace(annotation=_annotation(p.annotation)) for p in shown],
            return_annotation=_annotation(signature.return_annotation),
        )
    )
    return text if len(text) < 100 else _folded(text)


class _Plain:
    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return _plain(self.value)


class _Bare:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _annotation(annotation: object) -> object:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _plain(value: object) -> str:
    """A default as one would write it; functions by their names."""
    if inspect.isfunction(value):
        return value.__name__ if value.__name__ != "<lambda>" else "..."
    if isinstance(value, enum.Enum):
        return str(value)
    return re.sub(r"datetime\.", "", repr(value)) if " at 0x" not in repr(value) else "..."


def _folded(text: str) -> str:
    """One argument a line, for a signature that is longer than a line."""
    tree = ast.parse(f"def f{re.sub(r'=[.]{3}', '=...', text)}: ...")
    function = tree.body[0]
    inside = ast.unparse(function.args)
    lines, depth, start = [], 0, 0
    for place, letter in enumerate(inside):
        depth += {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            lines.append(inside[start:place].strip())
            start = place + 1
    lines.append(inside[start:].strip())
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return "(\n" + "".join(f"    {line},\n" for line in lines) + f"){returns}"


def _text(value: object) -> str:
    """A docstring with its examples as code."""
    lines, inside = [], False
    for line in inspect.getdoc(value).splitlines():
        starts, ends = line.startswith(">>>") and not inside, inside and not line.strip()
        if starts:
            lines.append("```python")
        if ends:
            lines.append("```")
        inside = (inside or starts) and not ends
        lines.append(line)
    return "\n".join([*lines, *(["```"] if inside else [])])


@functools.cache
def _attribute_docs(module: str) -> dict[str, str]:
    """The strings below assignments, by the name that is assigned."""
    file = Path(importlib.import_module(module).__file__)
    sources = sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]
    body = [node for source in sources for node in ast.parse(source.read_text()).body]
    found = {}
    for node, below in itertools.pairwise(body):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if is_text and isinstance(below.value.value, str):
            found |= {
                target.id: inspect.cleandoc(below.value.value) for target in targets if isinstance(target, ast.Name)
            }
    return found


def attribute_doc(module: str, name: str) -> str:
    """What stands below the assignment of a name; empty where nothing does."""
    return _attribute_docs(module).get(name, "")


# The tiers

_TIERS_HEAD = f"""{NOTE}# Tiers

`connect plugin check` looks at a plugin, runs the tests that inherit `ElementContract`, and computes its tier: the
highest one whose rules, and those of the tiers below, are all met. A tier is never declared. What cannot be checked,
such as tests that were left out or are not there, counts as not met; a rule about elements is not applicable to a
plugin that has none.

| tier | rules | what it means |
|---|---|---|
"""


def tiers() -> str:
    text = _TIERS_HEAD
    for tier in list(Tier)[1:]:
        text += f"| {tier.title} | {sum(rule.tier is tier for rule in RULES)} | {_MEANING[tier]} |\n"
    for tier in list(Tier)[1:]:
        text += f"\n## {tier.title.capitalize()}\n"
        for rule in (rule for rule in RULES if rule.tier is tier):
            text += f"\n### {rule.id}\n\n{rule.title}.\n\n* Why: {rule.reason}\n* How to meet it: {rule.cure}\n"
    return text


_MEANING = {
    Tier.BRONZE: "It can be installed and polled, and keeps secrets.",
    Tier.SILVER: "It is tested against the contract, and tells people what they need to know.",
    Tier.GOLD: "It loses nothing that its provider tells, and behaves well with it.",
    Tier.PLATINUM: "Somebody else can take it over.",
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")


if __name__ == "__main__":
    main()
