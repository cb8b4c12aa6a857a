"""`connect plugins`: what is installed, and what is wrong with it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from .output import say, say_json, table


def register(app: typer.Typer) -> None:
    app.command("plugins")(list_plugins)


def list_plugins(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the installed plugins, their hooks and elements, and why one is quarantined."""
    from ..plugins import Plugins

    infos = Plugins.load().infos()
    if as_json:
        say_json([dataclasses.asdict(info) for info in infos])
        return
    rows = [
        (
            info.name,
            info.distribution,
            info.version,
            ", ".join(info.elements),
            ", ".join(hook.removeprefix("connect_") for hook in info.hooks),
            info.quarantined,
        )
        for info in infos
    ]
    table(("plugin", "distribution", "version", "elements", "hooks", "quarantined because"), rows)
    for info in infos:
        for text in info.deprecations:
            say(f"{info.name}: {text}")
