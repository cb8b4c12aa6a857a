"""The code blocks of `docs/howto/run-it-inside-your-own-program.md`."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "run-it-inside-your-own-program.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def block(part: str) -> str:
    """The only block that has this text in it."""
    [found] = [one for one in blocks() if part in one]
    return found


def script() -> str:
    return block("threading.Timer")
