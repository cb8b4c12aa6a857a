"""`connect events`: the events that were announced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..serialize import as_json as as_json_value
from .opening import opened
from .options import Json, JsonLines, Limit, OnlyInstance, OnlyResource
from .output import say, say_json
from .tables import table

if TYPE_CHECKING:
    from ..app import App, Event

_Object = Annotated[str | None, typer.Option("--object", help="Show only events of the object with this id.")]
_Records = Annotated[bool, typer.Option("--records", help="Print the records as well.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look at the events that were announced.", no_args_is_help=True)
    commands.command("list")(list_events)
    commands.command("tail")(tail)
    app.add_typer(commands, name="events")


def list_events(
    context: typer.Context,
    instance: OnlyInstance = None,
    resource: OnlyResource = None,
    object_id: _Object = None,
    limit: Limit = 50,
    records: _Records = False,
    as_json: Json = False,
) -> None:
    """List events, the newest last.

    Example: connect events list --resource incidents --limit 10
    """
    with opened(context) as app:
        found = app.events.find(instance=instance, resource=resource, object_id=object_id, limit=limit)
        described = _described(app, found, records=records)
    if as_json:
        say_json(described)
        return
    columns = ("id", "date", "instanceId", "objectType", "eventType", "objectId", "sequence")
    table(columns, [tuple(event[name] for name in columns) for event in described])
    if records:
        for event in described:
            say(json.dumps(event["record"]))


def tail(
    context: typer.Context,
    instance: OnlyInstance = None,
    resource: OnlyResource = None,
    records: _Records = False,
    as_json: JsonLines = False,
) -> None:
    """Print events as they are announced, until Ctrl-C. Another process may do the polling."""
    from .stopping import Stop

    with opened(context) as app, Stop() as stop:
        chosen = None if instance is None else app.instances.id_of(instance)
        last = app.events.last_id()
        while not stop.wait(0.5):
            found = app.events.after(last, instance=chosen, resource=resource)
            if found:
                last = found[-1].id
                for event in _described(app, found, records=records):
                    say_json({"kind": "event"} | event) if as_json else say(_line(event))


def _described(app: App, found: list[Event], *, records: bool) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = [as_json_value(event) for event in found]
    if records:
        for shown, record in zip(described, app.events.records_of(found), strict=True):
            shown["record"] = record
    return described


def _line(event: dict[str, Any]) -> str:
    text = (
        f"{event['date']}  {event['objectType']:<12} {event['eventType']:<8} {event['objectId']}  #{event['sequence']}"
    )
    return f"{text}  {json.dumps(event['record'])}" if "record" in event else text
