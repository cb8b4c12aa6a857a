"""`connect cursor`: the moment up to which a resource was announced, and how to move it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import iso
from .moments import moment_of
from .opening import opened
from .options import InstanceName, Json, ResourceName
from .output import pairs, say_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import App, Cursor

_Since = Annotated[str, typer.Option(help="The moment to go back to, such as 2026-01-31T00:00:00Z.")]
_To = Annotated[str, typer.Option(help="Where to begin: now, all, or a date.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(
        help="Show or move a cursor: the moment up to which a resource was announced.", no_args_is_help=True
    )
    commands.command("show")(show)
    commands.command("rewind")(rewind)
    commands.command("reset")(reset)
    app.add_typer(commands, name="cursor")


def show(context: typer.Context, instance: InstanceName, resource: ResourceName, as_json: Json = False) -> None:
    """Show the cursor of a resource.

    It also shows how many objects are remembered so that they are not announced twice, and the window of the next poll.
    """
    _run(context, as_json, lambda app: app.polls.cursor(instance, resource))


def rewind(
    context: typer.Context,
    instance: InstanceName,
    resource: ResourceName,
    since: _Since,
    as_json: Json = False,
) -> None:
    """Poll again from an earlier moment. Versions that were already announced are not announced again."""
    target = moment_of(since, "--since")
    _run(context, as_json, lambda app: app.polls.rewind(instance, resource, target))


def reset(
    context: typer.Context,
    instance: InstanceName,
    resource: ResourceName,
    to: _To = "now",
    as_json: Json = False,
) -> None:
    """Start over as a new instance would. Versions that were already announced are not announced again."""
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
        "remembered": f"objects: {shown.remembered_objects}, since {iso(shown.remembered_from)}",
        "next poll": iso(poll.next_poll) if poll.active and poll.next_poll else "switched off",
        "window": f"{iso(window.start)} to {iso(window.end)}" if window else "nothing yet",
        "held by": f"{shown.lease_owner}, until {iso(shown.lease_until)}" if shown.lease_until else "nobody",
        "failing": poll.failure or "no",
    }
    pairs(lines)
