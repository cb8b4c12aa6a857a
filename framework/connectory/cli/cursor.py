"""`connect cursor`: up to where a resource was announced, and how to move that by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .opening import moment_of, opened
from .output import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.cursor import Cursor
    from ..engine.engine import Engine

_Instance = Annotated[str, typer.Argument(help="Id or name of the instance.")]
_Resource = Annotated[str, typer.Argument(help="What it polls, such as incidents.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Show and move the place up to which a resource was announced.", no_args_is_help=True)
    commands.command("show")(show)
    commands.command("rewind")(rewind)
    commands.command("reset")(reset)
    app.add_typer(commands, name="cursor")


def show(context: typer.Context, instance: _Instance, resource: _Resource, as_json: _Json = False) -> None:
    """Show the cursor, what is remembered behind it, and what the next poll would ask for."""
    from ..engine import cursor

    _run(context, instance, as_json, lambda engine, number: cursor.show(engine, number, resource))


def rewind(
    context: typer.Context,
    instance: _Instance,
    resource: _Resource,
    since: Annotated[str, typer.Option(help="Where to go back to, such as 2026-01-31T00:00:00Z.")],
    as_json: _Json = False,
) -> None:
    """Poll again from a moment on; versions that were announced stay quiet."""
    from ..engine import cursor

    target = moment_of(since, "--since")
    _run(context, instance, as_json, lambda engine, number: cursor.rewind(engine, number, resource, target))


def reset(
    context: typer.Context,
    instance: _Instance,
    resource: _Resource,
    to: Annotated[str, typer.Option(help="Where to begin: now, all, or a date.")] = "now",
    as_json: _Json = False,
) -> None:
    """Begin as a new instance does; versions that were announced stay quiet all the same."""
    from ..engine import cursor

    _run(context, instance, as_json, lambda engine, number: cursor.reset(engine, number, resource, to))


def _run(context: typer.Context, instance: str, as_json: bool, act: Callable[[Engine, int], Cursor]) -> None:
    with opened(context) as engine:
        shown = act(engine, engine.instances.resolve(instance).id).as_dict()
    if as_json:
        say_json(shown)
        return
    window = shown["nextWindow"]
    lines = {
        "cursor": shown["since"],
        "remembered": f"{shown['rememberedObjects']} objects, from {shown['rememberedFrom']} on",
        "next poll": f"{shown['nextPoll']}" if shown["active"] else "switched off",
        "would ask": f"{window['from']} to {window['to']}" if window else "nothing yet",
        "held by": f"{shown['leaseOwner']}, until {shown['leaseUntil']}" if shown["leaseOwner"] else "nobody",
        "failing": shown["failure"] or "no",
    }
    for name, value in lines.items():
        say(f"{name:<12}{value}")
