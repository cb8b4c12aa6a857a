"""`connect backfill`: announce what was never announced of a span of time."""

from __future__ import annotations

from typing import Annotated

import typer

from ..serialize import iso
from .opening import moment_of, opened
from .output import note, say, say_json


def register(app: typer.Typer) -> None:
    app.command("backfill")(backfill)


def backfill(
    context: typer.Context,
    instance: Annotated[str, typer.Argument(help="Id or name of the instance.")],
    resource: Annotated[str, typer.Argument(help="What it polls, such as incidents.")],
    start: Annotated[str, typer.Option("--from", help="Where the span begins, such as 2026-01-31T00:00:00Z.")],
    end: Annotated[str | None, typer.Option("--to", help="Where it ends; by default where the cursor is.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be announced.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Announce records of a span that were never announced; the cursor stays where it is."""
    first, last = moment_of(start, "--from"), None if end is None else moment_of(end, "--to")
    with opened(context) as app:
        done = app.polls.backfill(instance, resource, first, last, dry_run=dry_run)
    if as_json:
        say_json(done)
        return
    verb = "would announce" if dry_run else "announced"
    say(f"{resource} from {iso(done.start)} to {iso(done.end)}: {verb} {done.created} CREATED, {done.updated} UPDATED")
    say(f"announced before: {done.seen}; outside of the span: {done.outside}")
    for warning in done.warnings:
        note(f"warning: {warning}")
