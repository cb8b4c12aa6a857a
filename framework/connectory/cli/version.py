"""`connect version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import __version__
from .output import say

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    app.command("version")(version)


def version() -> None:
    """Print the version."""
    say(f"connectory {__version__}")
