"""`connect poll`: polls instances that exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .opening import opened
from .options import Duration, InstanceName, JsonLines, Once

if TYPE_CHECKING:
    from ..app import App, Instance

_Record = Annotated[
    Path | None, typer.Option(help="Poll once, and write the requests and the provider's answers to this file.")
]


def register(app: typer.Typer) -> None:
    app.command("poll")(poll)


def poll(
    context: typer.Context,
    instance: InstanceName,
    once: Once = False,
    duration: Duration = None,
    record: _Record = None,
    as_json: JsonLines = False,
) -> None:
    """Poll an instance and deliver what changes, until Ctrl-C.

    Example: connect poll servicenowoauth --once
    """
    from .stopping import Stop
    from .work import Length, work

    with opened(context) as app, Stop() as stop:
        found = app.instances.get(instance)
        _refuse_idle(found)
        if record is not None:
            _record(app, found.id, record, as_json=as_json)
            return
        work(app, [found], stop, Length.of(once, duration), as_json=as_json)


def _refuse_idle(instance: Instance) -> None:
    """Say why nothing would be polled. Otherwise it would look as if nothing had changed."""
    from ..errors import AuthenticationError
    from .finding import refuse_paused

    refuse_paused(instance)
    if not instance.valid:
        raise AuthenticationError(
            f"instance {instance.id} needs a new login: {instance.state_reason}",
            hint=f"`connect instances reauth {instance.id}` logs in again",
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
