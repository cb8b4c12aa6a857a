"""What commands print: text for people, JSON lines for programs, errors on the standard error output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConnectoryError

if TYPE_CHECKING:
    from collections.abc import Iterable


class OutputError(ConnectoryError):
    """The output could not be written. `quiet` is true if the reader closed it on purpose, as `head` does."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror}")
        self.quiet = isinstance(error, BrokenPipeError)


# Control characters in foreign text could move the cursor, ring the bell or rename the window.
CONTROL = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\ufffd")


def say(text: str = "") -> None:
    try:
        sys.stdout.write(f"{text.translate(CONTROL)}\n")
        sys.stdout.flush()
    except OSError as error:
        give_up_output()
        raise OutputError(error) from None


def give_up_output() -> None:
    """Discard the output from here on. Otherwise writing the rest would fail again when the process ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Print something for people that is not the command's output. If that fails, nothing happens."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text.translate(CONTROL)}\n")
        sys.stderr.flush()


def say_json(value: Any) -> None:
    """Print one value as one line of JSON, in the form that the API and the console will also use; see `serialize`."""
    from ..serialize import as_json

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
        say_json(error_object(error.message, error.where, error.hint, exit_code=error.exit_code))


def error_object(message: str, where: str | None = None, hint: str | None = None, *, exit_code: int) -> dict[str, Any]:
    """The one object that a command prints with --json when it fails."""
    return {"kind": "error", "message": message, "where": where, "hint": hint, "exitCode": exit_code}


def pairs(values: Mapping[str, Any] | Iterable[tuple[str, Any]], indent: str = "") -> None:
    """A line for each name and value, in two columns; nested mappings are indented."""
    rows = list(values.items() if isinstance(values, Mapping) else values)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        if isinstance(value, dict):
            say(f"{indent}{name}")
            pairs(value, indent + "  ")
        else:
            say(f"{indent}{name.ljust(width)}  {'-' if value is None else value}")
