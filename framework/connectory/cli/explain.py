"""`connect explain`: what the next poll would do, or what a recorded poll did, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from .opening import opened
from .options import Json
from .output import say_json

if TYPE_CHECKING:
    from ..app import Explanation

_Instance = Annotated[str | None, typer.Argument(help="The instance's id or name; not with --replay.")]
_Resource = Annotated[str | None, typer.Argument(help="A resource that the instance polls, such as incidents.")]
_Replay = Annotated[
    Path | None,
    typer.Option(help="Explain the poll that `connect poll --record` wrote to this file: --replay FILE [RESOURCE]."),
]


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    context: typer.Context,
    instance: _Instance = None,
    resource: _Resource = None,
    replay: _Replay = None,
    as_json: Json = False,
) -> None:
    """Show what the next poll would do and why. Nothing is announced, remembered or moved.

    Example: connect explain servicenowoauth incidents
    """
    found = _live(context, instance, resource) if replay is None else _replayed(replay, instance, resource)
    if as_json:
        say_json(found)
    else:
        from .explained import print_explanation

        print_explanation(found)
    if found.error is not None:
        raise typer.Exit(found.error.exit_code)


def _live(context: typer.Context, instance: str | None, resource: str | None) -> Explanation:
    if instance is None or resource is None:
        raise ConfigurationError(
            "name an instance and a resource",
            hint="`connect explain INSTANCE RESOURCE`, or `connect explain --replay FILE`",
        )
    with opened(context) as app:
        return app.explain(instance, resource)


def _replayed(path: Path, first: str | None, second: str | None) -> Explanation:
    """A recording needs no instance, so a single argument is the resource. The first of two arguments is ignored."""
    from ..app import Elements

    return Elements.load().replay(path, second or first)
