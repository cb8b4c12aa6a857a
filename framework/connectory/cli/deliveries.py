"""`connect deliveries`: what was sent where, and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from ..serialize import iso
from .opening import opened
from .output import pairs, say, say_json, table

if TYPE_CHECKING:
    from ..app import Delivery

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look at what was sent, and how it went.", no_args_is_help=True)
    commands.command("list")(list_deliveries)
    commands.command("show")(show)
    commands.command("resume")(resume)
    app.add_typer(commands, name="deliveries")


def list_deliveries(
    context: typer.Context,
    instance: Annotated[str | None, typer.Option(help="Id or name of an instance.")] = None,
    status: Annotated[str | None, typer.Option(help="created, retry, queued or delivered.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
    as_json: _Json = False,
) -> None:
    """List deliveries, the newest first."""
    with opened(context) as app:
        found = app.deliveries.find(instance=instance, status=status, limit=limit)
    if as_json:
        say_json(found)
        return
    columns = ("id", "notification", "instance", "resource", "status", "attempts", "due", "url")
    rows = [
        (one.id, one.notification_id, one.instance_id, one.resource, one.status, one.attempts, _due(one), one.url)
        for one in found
    ]
    table(columns, rows)


def show(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(help="The delivery's id.")],
    as_json: _Json = False,
) -> None:
    """Show one delivery with each attempt and the first bytes of the answers."""
    with opened(context) as app:
        found = app.deliveries.get(delivery)
    if as_json:
        say_json(found)
        return
    shown = as_json_value(found)
    pairs({name: value for name, value in shown.items() if name not in {"body", "made"}})
    say()
    columns = ("number", "startedAt", "duration", "status", "error", "response")
    table(columns, [tuple(attempt[name] for name in columns) for attempt in shown["made"]])


def resume(
    context: typer.Context,
    instance: Annotated[str, typer.Argument(help="Id or name of the instance.")],
) -> None:
    """Send again to a receiver that was given up, beginning with what was held back, in order."""
    with opened(context) as app:
        row = app.instances.get(instance)
        count = app.deliveries.resume(row.id)
    say(
        f"Notifications of instance {row.id} ({row.name}) are sent again, by whatever polls it."
        if count
        else f"Nothing is held back for instance {row.id} ({row.name})."
    )


def _due(delivery: Delivery) -> str | None:
    return None if delivery.due_at is None else iso(delivery.due_at)
