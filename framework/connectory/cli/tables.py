"""Prints all tables: columns without lines between them.

On a terminal, cells fold to its width. Elsewhere nothing wraps and nothing is cut, so that programs can read the lines.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .output import CONTROL, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

_UNLIMITED = 1_000_000
_NO_COLOURS: Mapping[str, str] = {}


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], colours: Mapping[str, str] = _NO_COLOURS) -> None:
    """Print rows under their column names. `colours` maps the text of a cell to its colour."""
    from rich.console import Console

    drawn = _drawn(columns, rows, colours)
    if sys.stdout.isatty():
        Console().print(drawn)
        return
    text = io.StringIO()
    Console(file=text, width=_UNLIMITED, color_system=None).print(drawn)
    for line in text.getvalue().splitlines():
        say(line.rstrip())


def _drawn(columns: Sequence[str], rows: Iterable[Sequence[Any]], colours: Mapping[str, str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        drawn.add_column(Text(column), overflow="fold")
    for row in rows:
        texts = ["" if cell is None else str(cell).translate(CONTROL) for cell in row]
        drawn.add_row(*(Text(text, style=colours.get(text, "")) for text in texts))
    return drawn
