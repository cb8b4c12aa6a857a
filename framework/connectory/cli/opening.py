"""Opens the application that a command works on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import typer

    from ..app import App


def settings_of(home: Path | None) -> Settings:
    return Settings.load(home)


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[App]:
    """The application that a test has put into the context, else one on the store of `--home`, closed when done."""
    from ..app import App, open_app

    held = context.obj
    if isinstance(held, App):
        yield held
        return
    with open_app(held.home if isinstance(held, Settings) else None, actor=actor()) as app:
        yield app


def actor() -> str:
    """Who makes the changes of a command: `cli:` and the name of the user of this machine."""
    import getpass

    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def moment_of(text: str, option: str) -> datetime:
    """An ISO date-time as aware UTC; without an offset it is taken to be UTC."""
    from ..schemas import MOMENT_RANGE, parse_moment

    try:
        return parse_moment(text)
    except ValueError:
        hint = f"it has to be {MOMENT_RANGE}"
        raise ConfigurationError(f"{text!r} is no date such as 2026-01-31T00:00:00Z", where=option, hint=hint) from None
