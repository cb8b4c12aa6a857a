"""`connect plugin`: for those who write plugins."""

from __future__ import annotations

import typer

from . import plugincheck, pluginnew

_COMMANDS = (pluginnew, plugincheck)


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Write plugins: start a new one, and check how good it is.", no_args_is_help=True)
    for command in _COMMANDS:
        command.register(commands)
    app.add_typer(commands, name="plugin")
