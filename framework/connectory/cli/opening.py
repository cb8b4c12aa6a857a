"""Opens the engine that a command works on."""

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

    from ..engine.engine import Engine


def settings_of(home: Path | None) -> Settings:
    return Settings.load(home)


@contextlib.contextmanager
def opened(context: typer.Context) -> Iterator[Engine]:
    """The engine that somebody has put into the context, else one on the settings there, closed when done."""
    from ..engine.engine import Engine

    held = context.obj
    if isinstance(held, Engine):
        yield held
        return
    with contextlib.closing(Engine(held if isinstance(held, Settings) else Settings.load())) as engine:
        yield engine


def moment_of(text: str, option: str) -> datetime:
    """An ISO date-time as aware UTC; without an offset it is taken to be UTC."""
    from ..schemas import parse_moment

    try:
        return parse_moment(text)
    except ValueError:
        hint = "it has to be between the years 1971 and 2999"
        raise ConfigurationError(f"{text!r} is no date such as 2026-01-31T00:00:00Z", where=option, hint=hint) from None
