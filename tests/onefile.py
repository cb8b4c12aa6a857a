"""The element of `docs/howto/write-an-element-in-one-file.md`, taken from the page."""

from __future__ import annotations

import re
import types
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "write-an-element-in-one-file.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def load_page() -> types.ModuleType:
    """All of the page's Python as one module."""
    module = types.ModuleType("acme_plugin")
    for block in blocks():
        exec(compile(block, str(PAGE), "exec"), module.__dict__)
    return module
