"""`connect backfill`: announces the records in a span of time that were missed before."""

from __future__ import annotations

from typing import Annotated

import typer

from ..serialize import iso
from .moments import moment_of
from .opening import opened
from .options import InstanceName, Json, ResourceName
from .output import note, say, say_json

_From = Annotated[str, typer.Option("--from", help="The start of the span, such as 2026-01-31T00:00:00Z.")]
_To = Annotated[str | None, typer.Option("--to", help="The end of the span; by default the cursor.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what would be announced.")]


def register(app: typer.Typer) -> None:
    app.command("backfill")(backfill)


def backfill(
    context: typer.Context,
    instance: InstanceName,
    resource: ResourceName,
    start: _From,
    end: _To = None,
    dry_run: _DryRun = False,
    as_json: Json = False,
) -> None:
    """Announce the records in a span of time that were missed before. The cursor stays where it is.

    Example: connect backfill servicenowoauth incidents --from 2026-01-01T00:00:00Z --dry-run
    """
    first, last = moment_of(start, "--from"), None if end is None else moment_of(end, "--to")
    with opened(context) as app:
        done = app.polls.backfill(instance, resource, first, last, dry_run=dry_run)
    if as_json:
        say_json(done)
        return
    verb = "would announce" if dry_run else "announced"
    say(f"{resource} from {iso(done.start)} to {iso(done.end)}: {verb} {done.created} CREATED, {done.updated} UPDATED")
    say(f"already announced: {done.seen}; outside the span: {done.outside}")
    for warning in done.warnings:
        note(f"warning: {warning}")
