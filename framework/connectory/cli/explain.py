"""`connect explain`: what the next poll would do, or what a recorded one did, and why."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .opening import opened
from .output import say_json

if TYPE_CHECKING:
    from ..app import Explanation


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    context: typer.Context,
    instance: Annotated[str | None, typer.Argument(help="Id or name of the instance.")] = None,
    resource: Annotated[str | None, typer.Argument(help="What it polls, such as incidents.")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Explain the poll that `connect poll --record` wrote to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the next poll would do and why; nothing is announced, remembered or moved."""
    found = _replayed(replay, resource) if replay is not None else _live(context, instance, resource)
    if as_json:
        say_json(found)
    else:
        from rich.console import Console

        from .explained import print_explanation

        print_explanation(Console(), found)
    if found.error is not None:
        raise typer.Exit(found.error.exit_code)


def _live(context: typer.Context, instance: str | None, resource: str | None) -> Explanation:
    if instance is None or resource is None:
        raise ConfigurationError(
            "no instance and resource are named",
            hint="`connect explain INSTANCE RESOURCE`, or `connect explain --replay FILE`",
        )
    with opened(context) as app:
        return app.explain(instance, resource)


def _replayed(path: Path, resource: str | None) -> Explanation:
    from ..app import Elements

    return Elements.load().replay(path, resource)
