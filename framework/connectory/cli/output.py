"""What commands print: text for people, JSON lines for programs, errors on the standard error output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from ..errors import ConnectoryError
from ..serialize import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class OutputError(ConnectoryError):
    """What was to be printed could not be. `quiet` where the reader has had enough, as `head` has."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror}")
        self.quiet = isinstance(error, BrokenPipeError)


# What others wrote must not move the cursor, ring the bell, or rename the window.
_CONTROL = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")


def say(text: str = "") -> None:
    try:
        sys.stdout.write(f"{text.translate(_CONTROL)}\n")
        sys.stdout.flush()
    except OSError as error:
        give_up_output()
        raise OutputError(error) from None


def give_up_output() -> None:
    """Let what is still to be written go nowhere: it would fail again when the process ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Something for the person, which is not the command's output; nothing depends on its arrival."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text.translate(_CONTROL)}\n")
        sys.stderr.flush()


def say_json(value: Any) -> None:
    """Print one value in the form that all faces share; see `serialize`."""
    say(json.dumps(as_json(value), ensure_ascii=False, default=str))


def print_error(error: ConnectoryError, *, as_json: bool) -> None:
    if isinstance(error, OutputError):
        if not error.quiet:
            note(f"error: {error.message}")
        return
    where = f"{error.where}: " if error.where else ""
    note(f"error: {where}{error.message}")
    pointer = getattr(error, "pointer", None)
    if pointer is not None:
        note(pointer())
    if error.hint:
        note(f"hint: {error.hint}")
    if as_json:
        say_json(
            {
                "kind": "error",
                "message": error.message,
                "where": error.where,
                "hint": error.hint,
                "exitCode": error.exit_code,
            }
        )


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people: ruled on a terminal, aligned columns elsewhere."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _ruled(columns, texts)
        return
    widths = [max(len(line[place]) for line in [list(columns), *texts]) for place in range(len(columns))]
    for line in [list(columns), *texts]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _ruled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns)
    for row in rows:
        drawn.add_row(*(Text(cell.translate(_CONTROL)) for cell in row))
    Console().print(drawn)


def pairs(values: Mapping[str, Any], indent: str = "") -> None:
    """`name  value` lines, nested mappings indented."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        if isinstance(value, dict):
            say(f"{indent}{name}")
            pairs(value, indent + "  ")
        else:
            say(f"{indent}{name.ljust(width)}  {'-' if value is None else value}")
