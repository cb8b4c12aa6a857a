"""`connect deliveries`: what was sent where, and how it went."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .opening import opened
from .output import pairs, say, say_json, table

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
    from ..errors import ConfigurationError
    from ..store import deliveries

    known = (deliveries.CREATED, deliveries.RETRY, deliveries.QUEUED, deliveries.DELIVERED)
    if status is not None and status not in known:
        raise ConfigurationError(f"no delivery is ever {status!r}", where="--status", hint=f"one of {', '.join(known)}")
    with opened(context) as engine:
        number = engine.instances.resolve(instance).id if instance else None
        with engine.database.read() as connection:
            found = [_shown(row) for row in deliveries.find(connection, instance_id=number, status=status, limit=limit)]
    if as_json:
        say_json(found)
        return
    columns = ("id", "notification_id", "instance_id", "resource", "status", "attempts", "due_at", "url")
    table(columns, [tuple(row[name] for name in columns) for row in found])


def show(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(help="The delivery's id.")],
    as_json: _Json = False,
) -> None:
    """Show one delivery with each attempt and the first bytes of the answers."""
    from ..errors import NotFoundError
    from ..store import deliveries

    with opened(context) as engine, engine.database.read() as connection:
        row = deliveries.get(connection, delivery)
        if row is None:
            raise NotFoundError(f"there is no delivery {delivery}", hint="`connect deliveries list` shows them")
        attempts = [_shown(attempt) for attempt in deliveries.attempts_of(connection, delivery)]
    shown = _shown(row)
    if as_json:
        say_json(shown | {"attempts": attempts})
        return
    pairs({name: value for name, value in shown.items() if name != "body"})
    say()
    columns = ("number", "started_at", "duration", "status", "error", "response")
    table(columns, [tuple(attempt[name] for name in columns) for attempt in attempts])


def resume(
    context: typer.Context,
    instance: Annotated[str, typer.Argument(help="Id or name of the instance.")],
) -> None:
    """Send again to a receiver that was given up, beginning with what was held back, in order."""
    with opened(context) as engine:
        row = engine.instances.resolve(instance)
        count = engine.instances.resume_deliveries(row.id)
    say(
        f"Notifications of instance {row.id} ({row.name}) are sent again, by whatever polls it."
        if count
        else f"Nothing is held back for instance {row.id} ({row.name})."
    )


def _shown(row: Any) -> dict[str, Any]:
    """Moments as ISO text, bytes as text."""
    from ..clock import from_micros

    shown = dict(row)
    for name, value in shown.items():
        if isinstance(value, (bytes, memoryview)):
            shown[name] = bytes(value).decode(errors="replace")
        elif name.endswith("_at") and value is not None:
            shown[name] = from_micros(value).isoformat().replace("+00:00", "Z")
    return shown
