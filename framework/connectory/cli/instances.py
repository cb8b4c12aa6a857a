"""`connect instances`: the connections to customers' accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from .opening import opened
from .options import Browser, Code, File, InstanceName, Json, ResourceName, Settings, Tag
from .output import note, pairs, say, say_json
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app import Instance

_Element = Annotated[str | None, typer.Argument(help="The element's key; not needed if --file names it.")]
_OnlyElement = Annotated[str | None, typer.Option("--element", help="Show only instances of this element.")]
_Changes = Annotated[
    Path | None, typer.Option("--file", help="A file with a JSON body that has name, tags or configuration.")
]
_Name = Annotated[str | None, typer.Option("--name", help="The instance's name.")]
_Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="A tag for the instance. Repeatable; replaces all its tags.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Delete it without asking.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Create, show and change instances.", no_args_is_help=True)
    commands.command("create")(create)
    commands.command("list")(list_instances)
    for command in (show, update, pause, resume, delete, reauth):
        commands.command(command.__name__)(command)
    commands.command("allow-mass-delete")(allow_mass_delete)
    app.add_typer(commands, name="instances")


def create(
    context: typer.Context,
    element: _Element = None,
    file: File = None,
    settings: Settings = None,
    name: _Name = None,
    tag: Tag = None,
    code: Code = None,
    browser: Browser = True,
    as_json: Json = False,
) -> None:
    """Create an instance without polling it; `connect poll` polls it.

    Example: connect instances create --file body.json
    """
    from .body import InstanceOptions, body_of, choose_element, read_body
    from .consent import asker
    from .stopping import Stop

    key = choose_element(read_body(file), element)
    options = InstanceOptions(element=key, file=file, settings=settings or (), name=name, tags=tag or (), code=code)
    with opened(context) as app, Stop() as stop:
        draft = app.instances.prepare(body_of(options, app.elements))
        _warn(draft.warnings)
        token = app.instances.log_in(draft, asker(draft, stop, browser=browser))
        _print(app.instances.establish(draft, token), as_json=as_json)


def list_instances(
    context: typer.Context,
    element: _OnlyElement = None,
    as_json: Json = False,
) -> None:
    """List the instances."""
    with opened(context) as app:
        found = app.instances.find(element=element)
    if as_json:
        say_json(found)
        return
    rows = []
    for one in found:
        failing = ", ".join(poll.resource for poll in one.polls if poll.failures)
        rows.append((one.id, one.name, one.element.key, one.state, len(one.polls), failing, ", ".join(one.tags)))
    table(("id", "name", "element", "state", "polls", "failing", "tags"), rows)


def show(context: typer.Context, instance: InstanceName, as_json: Json = False) -> None:
    """Show an instance: its configuration, its state and the state of its polls."""
    with opened(context) as app:
        _print(app.instances.get(instance), as_json=as_json)


def update(
    context: typer.Context,
    instance: InstanceName,
    file: _Changes = None,
    settings: Settings = None,
    name: _Name = None,
    tag: _Tags = None,
    as_json: Json = False,
) -> None:
    """Change an instance. Configuration is merged key by key, and the cursors stay where they are.

    Example: connect instances update servicenowoauth --set event.poller.refresh_interval=5
    """
    from .body import parse_settings, read_body

    body = read_body(file)
    with opened(context) as app:
        changed = app.instances.update(
            instance,
            name=name or body.get("name"),
            tags=tag or body.get("tags"),
            configuration=dict(body.get("configuration") or {}) | parse_settings(settings or ()),
        )
        _warn(app.instances.warnings(changed.id))
        _print(changed, as_json=as_json)


def pause(context: typer.Context, instance: InstanceName, as_json: Json = False) -> None:
    """Stop polling an instance. No change is lost: after `resume`, polling continues where it stopped."""
    with opened(context) as app:
        _print(app.instances.pause(instance), as_json=as_json)


def resume(context: typer.Context, instance: InstanceName, as_json: Json = False) -> None:
    """Continue to poll a paused instance where polling stopped."""
    with opened(context) as app:
        _print(app.instances.resume(instance), as_json=as_json)


def delete(
    context: typer.Context,
    instance: InstanceName,
    yes: _Yes = False,
    as_json: Json = False,
) -> None:
    """Delete an instance and everything that belongs to it: cursors, events and undelivered notifications."""
    with opened(context) as app:
        row = app.instances.get(instance)
        if not yes and not typer.confirm(
            f"Delete instance {row.id} ({row.name}) and everything that belongs to it?", err=True
        ):
            raise typer.Exit(1)
        app.instances.delete(row.id)
    if as_json:
        say_json({"instanceId": row.id, "instanceName": row.name, "deleted": True})
    else:
        say(f"Deleted instance {row.id} ({row.name}).")


def reauth(
    context: typer.Context,
    instance: InstanceName,
    code: Code = None,
    browser: Browser = True,
    as_json: Json = False,
) -> None:
    """Log in to the provider again. Polling continues where it stopped."""
    from .consent import asker
    from .stopping import Stop

    with opened(context) as app, Stop() as stop:
        found = app.instances.get(instance)
        draft = app.instances.draft_of(found.id, code=code)
        token = app.instances.log_in(draft, asker(draft, stop, browser=browser))
        if token is not None:
            found = app.instances.reauthenticate(found.id, token)
        _print(found, as_json=as_json)


def allow_mass_delete(
    context: typer.Context,
    instance: InstanceName,
    resource: ResourceName,
    as_json: Json = False,
) -> None:
    """Accept a deletion alarm: objects that are still missing in the next sweep are announced as deleted.

    `connect instances show` shows the alarm. It protects you from a login that has lost a right: to such a login
    everything looks deleted.
    """
    with opened(context) as app:
        found = app.instances.allow_mass_delete(instance, resource)
    if as_json:
        _print(found, as_json=True)
    else:
        say(f"Instance {found.id} ({found.name}): the next sweep announces what is missing from {resource} as deleted.")


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        note(f"warning: {warning}")


def _print(instance: Instance, *, as_json: bool) -> None:
    if as_json:
        say_json(instance)
        return
    described = as_json_value(instance)
    polls, subscriptions = described.pop("polls"), described.pop("subscriptions")
    pairs(described)
    if subscriptions:
        say()
        table(("notifications go to", "state", "reason"), [tuple(one.values()) for one in subscriptions])
    if polls:
        say()
        columns = ("resource", "active", "since", "lastPoll", "nextPoll", "waitingUntil", "failure")
        table(columns, [tuple(poll.get(name) for name in columns) for poll in polls])
