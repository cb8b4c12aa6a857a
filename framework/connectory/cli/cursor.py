"""`connect cursor`: up to where a resource was announced, and how to move that by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import iso
from .opening import moment_of, opened
from .output import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import App, Cursor

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
    _run(context, as_json, lambda app: app.polls.cursor(instance, resource))


def rewind(
    context: typer.Context,
    instance: _Instance,
    resource: _Resource,
    since: Annotated[str, typer.Option(help="Where to go back to, such as 2026-01-31T00:00:00Z.")],
    as_json: _Json = False,
) -> None:
    """Poll again from a moment on; versions that were announced stay quiet."""
    target = moment_of(since, "--since")
    _run(context, as_json, lambda app: app.polls.rewind(instance, resource, target))


def reset(
    context: typer.Context,
    instance: _Instance,
    resource: _Resource,
    to: Annotated[str, typer.Option(help="Where to begin: now, all, or a date.")] = "now",
    as_json: _Json = False,
) -> None:
    """Begin as a new instance does; versions that were announced stay quiet all the same."""
    _run(context, as_json, lambda app: app.polls.reset(instance, resource, to))


def _run(context: typer.Context, as_json: bool, act: Callable[[App], Cursor]) -> None:
    with opened(context) as app:
        shown = act(app)
    if as_json:
        say_json(shown)
        return
    poll, window = shown.poll, shown.next_window
    lines = {
        "cursor": iso(poll.since),
        "remembered": f"{shown.remembered_objects} objects, from {iso(shown.remembered_from)} on",
        "next poll": iso(poll.next_poll) if poll.active and poll.next_poll else "switched off",
        "would ask": f"{iso(window.start)} to {iso(window.end)}" if window else "nothing yet",
        "held by": f"{shown.lease_owner}, until {iso(shown.lease_until)}" if shown.lease_until else "nobody",
        "failing": poll.failure or "no",
    }
    for name, value in lines.items():
        say(f"{name:<12}{value}")
