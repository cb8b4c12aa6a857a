"""`connect poll`: polls instances that exist."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from .opening import opened

if TYPE_CHECKING:
    from ..app import App, Instance


def register(app: typer.Typer) -> None:
    app.command("poll")(poll)


def poll(
    context: typer.Context,
    instance: Annotated[str, typer.Argument(help="Id or name of the instance.")],
    once: Annotated[bool, typer.Option("--once", help="Poll each resource once, deliver, and end.")] = False,
    duration: Annotated[str | None, typer.Option("--for", help="End after this time: 30s, 5m, 1h.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Poll once, and write what was asked and answered to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Poll an instance and deliver what changes, until Ctrl-C.

    Example: connect poll servicenowoauth --once
    """
    from .body import seconds_of
    from .run import work
    from .stopping import Stop

    with opened(context) as app, Stop() as stop:
        found = app.instances.get(instance)
        _refuse_idle(found)
        if record is not None:
            _record(app, found.id, record, as_json=as_json)
            return
        seconds = seconds_of(duration, "--for", "s") if duration else None
        work(app, [found], stop, once=once, seconds=seconds, as_json=as_json)


def _refuse_idle(instance: Instance) -> None:
    """Say why nothing would be polled, rather than that nothing has changed."""
    from ..errors import AuthenticationError
    from .run import refuse_paused

    refuse_paused(instance)
    if not instance.valid:
        raise AuthenticationError(
            f"instance {instance.id} needs a new login: {instance.state_reason}",
            hint=f"`connect instances reauth {instance.id}` asks for it",
        )


def _record(app: App, instance_id: int, path: Path, *, as_json: bool) -> None:
    from .watching import Watcher

    watcher = Watcher(as_json=as_json)
    app.polls.make_due([instance_id])
    app.polls.record(path, instances=[instance_id], observer=watcher)
    if watcher.lost is not None:
        raise watcher.lost
    watcher.summary(0)
    if watcher.errors:
        raise next(iter(watcher.errors.values()))
