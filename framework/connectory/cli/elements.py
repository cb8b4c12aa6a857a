"""`connect elements`: the systems that can be connected, and what an instance of each one needs."""

from __future__ import annotations

import json
from typing import Any

import typer

from .options import ElementKey, Json
from .output import pairs, say, say_json
from .tables import table


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Show the elements that are installed.", invoke_without_command=True)
    commands.callback()(list_elements)
    commands.command("show")(show)
    app.add_typer(commands, name="elements")


def list_elements(context: typer.Context, as_json: Json = False) -> None:
    """List the elements that are installed; `connect elements show KEY` shows what one needs."""
    if context.invoked_subcommand is not None:
        return
    from ..app import Elements

    found = Elements.load().find()
    if as_json:
        say_json(found)
        return
    table(("key", "name", "hub", "plugin"), [(one.key, one.name, one.hub, one.plugin) for one in found])


def show(key: ElementKey, as_json: Json = False) -> None:
    """Show an element's configuration keys, its resources and how they are polled.

    Example: connect elements show servicenowoauth
    """
    from ..app import Elements

    found = Elements.load().get(key)
    if as_json:
        say_json(found)
        return
    pairs({name: getattr(found, name) for name in ("key", "name", "hub", "description", "plugin")})
    say()
    columns = ("key", "required", "default", "secret", "description")
    table(columns, [tuple(_shown(getattr(entry, name)) for name in columns) for entry in found.configuration])
    say()
    for resource in found.resources:
        say(f"{resource.name}  {resource.path}")
        if resource.poller:
            say(f"    {json.dumps(resource.poller)}")


def _shown(value: Any) -> Any:
    return {True: "yes", False: ""}.get(value, value) if isinstance(value, bool) else value
