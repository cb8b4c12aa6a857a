"""`connect instances`: the connections to customers' accounts."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from .opening import opened
from .output import note, pairs, say, say_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app import Instance

_Instance = Annotated[str, typer.Argument(help="Id or name of the instance.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Settings = Annotated[list[str] | None, typer.Option("--set", help="A configuration value, key=value; repeatable.")]


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
    element: Annotated[str | None, typer.Argument(help="The element's key; or let --file name it.")] = None,
    file: Annotated[Path | None, typer.Option(help="The JSON body of POST /instances.")] = None,
    settings: _Settings = None,
    name: Annotated[str | None, typer.Option(help="The instance's name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the instance; repeatable.")] = None,
    code: Annotated[str | None, typer.Option(help="An authorization code that was obtained elsewhere.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser for the consent.")] = True,
    as_json: _Json = False,
) -> None:
    """Create an instance without polling it yet: `connect poll` does that.

    Example: connect instances create --file body.json
    """
    from .body import choose_element, read_body
    from .run import Options, body_of, person_at_browser
    from .stopping import Stop

    key = choose_element(read_body(file), element)
    options = Options(
        element=key, file=file, settings=settings or (), name=name, tags=tag or (), code=code, browser=browser
    )
    with opened(context) as app, Stop() as stop:
        draft = app.instances.prepare(body_of(options, app.elements))
        _warn(draft.warnings)
        token = app.instances.log_in(draft, person_at_browser(draft, options, stop))
        _print(app.instances.establish(draft, token), as_json=as_json)


def list_instances(
    context: typer.Context,
    element: Annotated[str | None, typer.Option(help="Only those of an element.")] = None,
    as_json: _Json = False,
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


def show(context: typer.Context, instance: _Instance, as_json: _Json = False) -> None:
    """Show an instance: its configuration, its state, and how its polls are doing."""
    with opened(context) as app:
        _print(app.instances.get(instance), as_json=as_json)


def update(
    context: typer.Context,
    instance: _Instance,
    file: Annotated[Path | None, typer.Option(help="A JSON body with name, tags or configuration.")] = None,
    settings: _Settings = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="The tags, all of them; repeatable.")] = None,
    as_json: _Json = False,
) -> None:
    """Change an instance; configuration is merged key by key, and cursors stay where they are.

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


def pause(context: typer.Context, instance: _Instance, as_json: _Json = False) -> None:
    """Stop polling an instance; nothing is lost."""
    with opened(context) as app:
        _print(app.instances.pause(instance), as_json=as_json)


def resume(context: typer.Context, instance: _Instance, as_json: _Json = False) -> None:
    """Go on polling where it stopped."""
    with opened(context) as app:
        _print(app.instances.resume(instance), as_json=as_json)


def delete(
    context: typer.Context,
    instance: _Instance,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an instance with everything that belongs to it: cursors, events, what is still to be delivered."""
    with opened(context) as app:
        row = app.instances.get(instance)
        if not yes and not typer.confirm(f"Delete instance {row.id} ({row.name}) and all that belongs to it?"):
            raise typer.Exit(1)
        app.instances.delete(row.id)
        say(f"Deleted instance {row.id} ({row.name}).")


def reauth(
    context: typer.Context,
    instance: _Instance,
    code: Annotated[str | None, typer.Option(help="An authorization code that was obtained elsewhere.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser for the consent.")] = True,
    as_json: _Json = False,
) -> None:
    """Log in again; polling goes on where it stopped."""
    from .run import Options, person_at_browser
    from .stopping import Stop

    with opened(context) as app, Stop() as stop:
        found = app.instances.get(instance)
        draft = app.instances.draft_of(found.id, code=code)
        options = Options(element=found.element.key, browser=browser)
        token = app.instances.log_in(draft, person_at_browser(draft, options, stop))
        if token is not None:
            found = app.instances.reauthenticate(found.id, token)
        _print(found, as_json=as_json)


def allow_mass_delete(
    context: typer.Context,
    instance: _Instance,
    resource: Annotated[str, typer.Argument(help="What it polls, such as agents.")],
    as_json: _Json = False,
) -> None:
    """Believe an alarm about deletions: what is still missing from the next sweep is announced as deleted.

    `connect instances show` shows the alarm. It guards against a login that has lost a right, to which everything
    looks deleted.
    """
    with opened(context) as app:
        found = app.instances.allow_mass_delete(instance, resource)
    if as_json:
        _print(found, as_json=True)
    else:
        say(f"Instance {found.id} ({found.name}): the next sweep announces what is missing from {resource}.")


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
