"""`connect events`: what was announced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .opening import opened
from .output import say, say_json, table

if TYPE_CHECKING:
    from ..engine.engine import Engine
    from ..store.events import EventRow

_Instance = Annotated[str | None, typer.Option(help="Id or name of an instance.")]
_Resource = Annotated[str | None, typer.Option(help="A resource, such as incidents.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
_Records = Annotated[bool, typer.Option("--records", help="Print the records as well.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look at what was announced.", no_args_is_help=True)
    commands.command("list")(list_events)
    commands.command("tail")(tail)
    app.add_typer(commands, name="events")


def list_events(
    context: typer.Context,
    instance: _Instance = None,
    resource: _Resource = None,
    object_id: Annotated[str | None, typer.Option("--object", help="The id of an object.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 50,
    records: _Records = False,
    as_json: _Json = False,
) -> None:
    """List events, the newest last.

    Example: connect events list --resource incidents --limit 10
    """
    from ..store import events

    with opened(context) as engine:
        number = engine.instances.resolve(instance).id if instance else None
        with engine.database.read() as connection:
            found = events.find(
                connection, instance_id=number, resource=resource, object_id=object_id, limit=limit, newest_first=True
            )
        _print(engine, found[::-1], as_json=as_json, records=records)


def tail(
    context: typer.Context,
    instance: _Instance = None,
    resource: _Resource = None,
    records: _Records = False,
    as_json: _Json = False,
) -> None:
    """Print events as they are announced, until Ctrl-C; works beside a running engine."""
    from ..store import events
    from .service import Stop

    with opened(context) as engine, Stop() as stop:
        number = engine.instances.resolve(instance).id if instance else None
        with engine.database.read() as connection:
            last = events.last_id(connection)
        while not stop.wait(0.5):
            with engine.database.read() as connection:
                found = events.find(connection, instance_id=number, resource=resource, after=last, limit=500)
            if found:
                last = found[-1].id
                for event in _described(engine, found, records=records):
                    say_json(event) if as_json else say(_line(event))


def _print(engine: Engine, found: list[EventRow], *, as_json: bool, records: bool) -> None:
    described = _described(engine, found, records=records)
    if as_json:
        for event in described:
            say_json(event)
        return
    columns = ("id", "date", "instanceId", "objectType", "eventType", "objectId", "sequence")
    table(columns, [tuple(event[name] for name in columns) for event in described])
    if records:
        for event in described:
            say(json.dumps(event["record"]))


def _described(engine: Engine, found: list[EventRow], *, records: bool) -> list[dict[str, Any]]:
    from ..store import events

    described = [_describe(event) for event in found]
    if records:
        with engine.database.read() as connection:
            bodies = events.bodies_of(connection, {event.notification_id for event in found})
        for event, shown in zip(found, described, strict=True):
            raw = json.loads(bodies[event.notification_id])["message"]["raw"]
            shown["record"] = raw[event.resource][event.position]
    return described


def _describe(event: EventRow) -> dict[str, Any]:
    from ..clock import from_micros

    return {
        "kind": "event",
        "id": event.id,
        "instanceId": event.instance_id,
        "objectType": event.resource,
        "eventType": event.type,
        "objectId": event.object_id,
        "sequence": event.sequence,
        "date": from_micros(event.date).isoformat().replace("+00:00", "Z"),
        "notificationId": event.notification_id,
    }


def _line(event: dict[str, Any]) -> str:
    text = (
        f"{event['date']}  {event['objectType']:<12} {event['eventType']:<8} {event['objectId']}  #{event['sequence']}"
    )
    return f"{text}  {json.dumps(event['record'])}" if "record" in event else text
