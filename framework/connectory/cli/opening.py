"""Opens the application that a command works on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import typer

    from ..app import App


def settings_of(home: Path | None) -> Settings:
    return Settings.load(home)


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[App]:
    """The application that a test put into the context, or one on the store of `--home`, closed at the end."""
    from ..app import App, open_app

    held = context.obj
    if isinstance(held, App):
        yield held
        return
    with open_app(held.home if isinstance(held, Settings) else None, actor=actor()) as app:
        yield app


def actor() -> str:
    """Who makes the changes of a command: `cli:` and the name of the user on this machine."""
    import getpass

    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"
