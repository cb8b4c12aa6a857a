"""`connect doctor`: whether an instance would work, asked of the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from .opening import opened
from .output import say, say_json

if TYPE_CHECKING:
    from ..app import Check


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    instance: Annotated[str | None, typer.Argument(help="Id or name of the instance; all of them by default.")] = None,
    deletions: Annotated[
        bool, typer.Option("--deletions", help="Also whether deletions could be found that are not tracked yet.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line for each check.")] = False,
) -> None:
    """Check the login, the clocks, a record of each resource, and the rights that finding deletions takes.

    Nothing is announced or moved. Ends with 0 where nothing failed, else with the code of the first failure.

    Example: connect doctor servicenowoauth --deletions
    """
    code = 0
    with opened(context) as app:
        rows = app.instances.find() if instance is None else [app.instances.get(instance)]
        if not rows and not as_json:
            say("There is no instance yet: `connect run ELEMENT` makes one.")
        for row in rows:
            if not as_json:
                say(f"{row.name} ({row.id})")
            for check in app.diagnose(row.id, all_deletions=deletions):
                code = code or check.exit_code
                say_json({"instanceId": row.id} | as_json_value(check)) if as_json else _print(check)
    if code:
        raise typer.Exit(code)


def _print(check: Check) -> None:
    say(f"  {check.state.value:<8} {check.check}: {check.detail}")
    if check.hint:
        say(f"           {check.hint}")
