"""Connectory: a plugin-based connector framework.

The public names are in `__init__.pyi`, where type checkers read them too. Each is imported at its first use, so that a
command that needs few of them starts fast.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def _public_names() -> dict[str, tuple[str, str]]:
    """The module and the attribute of each public name."""
    stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    # Read by patterns, because `ast` takes longer than the rest of this module; a test compares the two.
    imports = re.findall(r"^from \.(\w+) import (\w+) as (\w+)$", stub, re.MULTILINE)
    places = {name: (module, attribute) for module, attribute, name in imports}
    aliases = {alias: places.pop(name) for alias, name in re.findall(r"^(\w+) = (_\w+)\b", stub, re.MULTILINE)}
    return places | aliases


_WHERE = _public_names()

__all__ = sorted(_WHERE)  # noqa: PLE0605 - the names are written once, in the stub


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(f".{module}", __name__), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
