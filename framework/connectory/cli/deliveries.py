"""`connect deliveries`: which notifications were sent where, and whether they arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from ..serialize import iso
from .opening import opened
from .options import InstanceName, Json, Limit, OnlyInstance
from .output import pairs, say, say_json
from .tables import table

if TYPE_CHECKING:
    from ..app import Delivery

_DeliveryId = Annotated[int, typer.Argument(help="The delivery's id.")]
_Status = Annotated[str | None, typer.Option(help="Show only this state: created, retry, queued or delivered.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look at what was sent, and whether it arrived.", no_args_is_help=True)
    commands.command("list")(list_deliveries)
    commands.command("show")(show)
    commands.command("resume")(resume)
    app.add_typer(commands, name="deliveries")


def list_deliveries(
    context: typer.Context,
    instance: OnlyInstance = None,
    status: _Status = None,
    limit: Limit = 50,
    as_json: Json = False,
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
    delivery: _DeliveryId,
    as_json: Json = False,
) -> None:
    """Show one delivery with all its attempts and the beginning of each answer."""
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
    instance: InstanceName,
    as_json: Json = False,
) -> None:
    """Reactivate the receivers of an instance that were deactivated.

    This command sends nothing. A `connect poll` or `connect run` of the instance sends the notifications that were held
    back; if one is running, it sends them at once.
    """
    with opened(context) as app:
        row = app.instances.get(instance)
        count = app.deliveries.resume(row.id)
    if as_json:
        say_json({"instanceId": row.id, "instanceName": row.name, "resumed": count})
        return
    say(
        f"Receivers of instance {row.id} ({row.name}) that were reactivated: {count}."
        f" `connect poll {row.id}` or `connect run` sends the notifications that were held back."
        if count
        else f"No receiver of instance {row.id} ({row.name}) is deactivated."
    )


def _due(delivery: Delivery) -> str | None:
    return None if delivery.due_at is None else iso(delivery.due_at)
