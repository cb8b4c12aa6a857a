"""Writes imports, lists and dictionaries of any length as a formatter would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

WIDTH = 120


def imported(module: str, names: Collection[str], indent: str = "") -> str:
    """An import statement, in the order in which linters want the names: constants, classes, the rest.

    >>> imported("connectory", ["hookimpl", "Element", "Config"])
    'from connectory import Config, Element, hookimpl'
    """
    ordered = sorted(set(names), key=lambda name: (_rank(name), name))
    line = f"{indent}from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{indent}from {module} import (", *(f"{indent}    {name}," for name in ordered), f"{indent})"])


def _rank(name: str) -> int:
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[0].isupper() else 2


def listed(values: Iterable[str], indent: str = "    ") -> str:
    """The lines of a list or tuple, one for each value."""
    return "\n".join(f"{indent}{value}," for value in values)


def mapped(entries: Sequence[str], indent: str = "    ") -> str:
    """A dictionary of `key: value` entries, on one line if there is only one entry."""
    if len(entries) == 1:
        return f"{{{entries[0]}}}"
    return f"{{\n{listed(entries, indent + '    ')}\n{indent}}}"


def tidied(text: str) -> str:
    """Keep at most two empty lines in a row and none at the end, because an empty piece leaves its line behind."""
    return re.sub(r"\n{4,}", "\n\n\n", text).rstrip("\n") + "\n"
