"""`connect doctor`: asks the provider whether an instance will work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..serialize import as_json as as_json_value
from .opening import opened
from .options import JsonLines
from .output import say, say_json

if TYPE_CHECKING:
    from ..app import Check

_Instance = Annotated[str | None, typer.Argument(help="The instance's id or name; by default all instances.")]
_Deletions = Annotated[
    bool, typer.Option("--deletions", help="Also check whether deletions could be found where they are not tracked.")
]


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    instance: _Instance = None,
    deletions: _Deletions = False,
    as_json: JsonLines = False,
) -> None:
    """Check the login, the clocks, one record of each resource, and the rights needed to find deletions.

    Nothing is announced or moved. The exit code is 0 if nothing failed, otherwise that of the first failure.

    Example: connect doctor servicenowoauth --deletions
    """
    code = 0
    with opened(context) as app:
        rows = app.instances.find() if instance is None else [app.instances.get(instance)]
        if not rows and not as_json:
            say("There is no instance yet. `connect run ELEMENT` creates one.")
        for row in rows:
            if not as_json:
                say(f"{row.name} ({row.id})")
            for check in app.diagnose(row.id, all_deletions=deletions):
                code = code or check.exit_code
                if as_json:
                    say_json({"kind": "check", "instanceId": row.id} | as_json_value(check))
                else:
                    _print(check)
    if code:
        raise typer.Exit(code)


def _print(check: Check) -> None:
    say(f"  {check.state.value:<8} {check.check}: {check.detail}")
    if check.hint:
        say(f"           {check.hint}")
