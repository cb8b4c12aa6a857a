"""`connect version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import __version__
from .options import Json
from .output import say, say_json

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    app.command("version")(version)


def version(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        say_json({"version": __version__})
    else:
        say(f"connectory {__version__}")
