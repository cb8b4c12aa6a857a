"""`connect plugins`: the installed plugins, why some cannot be used, and which of them answers which hook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json
from .output import print_error, say, say_json
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app import Elements, PluginInfo
    from ..authoring.trace import Trace

_TraceOf = Annotated[
    str | None,
    typer.Option("--trace", metavar="ELEMENT", help="Ask an element's hooks, and show which plugin answered what."),
]
_Resource = Annotated[str | None, typer.Option(help="With --trace: the resource whose poll is prepared.")]


def register(app: typer.Typer) -> None:
    app.command("plugins")(list_plugins)


def list_plugins(
    trace: _TraceOf = None,
    resource: _Resource = None,
    as_json: Json = False,
) -> None:
    """List the installed plugins, their hooks and elements, and why one is quarantined.

    Example: connect plugins --trace servicenowoauth --resource incidents
    """
    from ..app import Elements
    from ..errors import ConfigurationError

    if resource is not None and trace is None:
        raise ConfigurationError("this option needs --trace ELEMENT", where="--resource")
    installed = Elements.load()
    if trace is not None:
        _trace(installed, trace, resource, as_json=as_json)
    elif as_json:
        say_json(installed.plugins())
    else:
        _list(installed.plugins())


def _list(infos: Sequence[PluginInfo]) -> None:
    rows = [
        (
            info.name,
            info.distribution,
            info.version,
            ", ".join(info.elements),
            ", ".join(hook.removeprefix("connect_") for hook in info.hooks),
            info.quarantined,
        )
        for info in infos
    ]
    table(("plugin", "distribution", "version", "elements", "hooks", "quarantined because"), rows)


def _trace(installed: Elements, element: str, resource: str | None, *, as_json: bool) -> None:
    from datetime import UTC, datetime

    from ..authoring.trace import trace

    found = trace(installed.hooks, element, datetime.now(UTC), resource)
    if as_json:
        failure = None if found.ended is None else str(found.ended)
        say_json({"element": element, "resource": found.resource, "calls": found.calls, "failure": failure})
    else:
        _show(found)
    if found.ended is not None:
        print_error(found.ended, as_json=False)
        raise typer.Exit(found.ended.exit_code)


def _show(found: Trace) -> None:
    rows = [
        (
            call.hook,
            ", ".join(call.asked),
            ", ".join(call.answered) or ("(through a wrapper)" if call.wrappers else "nobody"),
            f"{call.seconds * 1000:.2f}",
            f"failed: {call.error}" if call.error else call.answer,
        )
        for call in found.calls
    ]
    table(("hook", "asked", "answered", "ms", "answer"), rows)
    if found.resource is not None:
        say()
        say(f"These calls belong to a poll of {found.resource}. Use --resource to trace another resource.")
