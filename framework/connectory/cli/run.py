"""`connect run`: the main job. Finds or creates an instance, logs in, polls, delivers, and shows what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    Browser,
    Code,
    Duration,
    ElementKey,
    Fault,
    File,
    JsonLines,
    Once,
    Settings,
    SignatureKey,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .body import InstanceOptions
    from .work import Length

_Resource = Annotated[list[str] | None, typer.Option(help="Poll only this resource. Repeatable.")]
_Interval = Annotated[str | None, typer.Option(help="The time between two polls: minutes, or e.g. 30s, 5m or 1h.")]
_CallbackUrl = Annotated[str | None, typer.Option(help="The URL that notifications are sent to.")]
_Name = Annotated[str | None, typer.Option(help="The instance's name; by default the element's key.")]
_FirstPoll = Annotated[
    str | None, typer.Option("--from", help="What a new instance announces first: now, all, or a date to begin at.")
]
_WithSandbox = Annotated[
    bool, typer.Option("--sandbox", help="Run against a sandbox of the provider, with a receiver, on this machine.")
]


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    context: typer.Context,
    element: ElementKey,
    file: File = None,
    settings: Settings = None,
    resource: _Resource = None,
    interval: _Interval = None,
    callback_url: _CallbackUrl = None,
    signature_key: SignatureKey = None,
    name: _Name = None,
    tag: Tag = None,
    first_poll: _FirstPoll = None,
    once: Once = False,
    duration: Duration = None,
    with_sandbox: _WithSandbox = False,
    fault: Fault = None,
    code: Code = None,
    browser: Browser = True,
    as_json: JsonLines = False,
) -> None:
    """Poll an instance of an element and deliver what changes, until Ctrl-C.

    The instance is found by its name, or created. Options change an instance that exists; its cursors do not move.

    Example: connect run servicenowoauth --sandbox --for 30s

    Example: connect run servicenowoauth --set servicenow.subdomain=acme --set oauth.api.key=ID
    --set oauth.api.secret=SECRET --callback-url https://example.com/events --interval 5
    """
    from .body import InstanceOptions
    from .sandboxrun import run_in_sandbox
    from .work import Length

    length = Length.of(once, duration)
    options = InstanceOptions(
        element=element,
        file=file,
        settings=settings or (),
        resources=resource or (),
        interval=interval,
        callback_url=callback_url,
        signature_key=signature_key,
        name=name,
        tags=tag or (),
        first_poll=first_poll,
        code=code,
        browser=browser,
    )
    if with_sandbox:
        run_in_sandbox(context, options, fault or (), length, as_json=as_json)
    else:
        _run(context, options, fault, length, as_json=as_json)


def _run(
    context: typer.Context, options: InstanceOptions, faults: Sequence[str] | None, length: Length, *, as_json: bool
) -> None:
    from ..errors import ConfigurationError
    from .finding import find_or_create
    from .opening import opened
    from .stopping import Stop
    from .work import work

    if faults:
        raise ConfigurationError("a fault needs a sandbox", where="--fault", hint="add --sandbox")
    with opened(context) as app, Stop() as stop:
        instance = find_or_create(app, options, stop)
        work(app, [instance], stop, length, as_json=as_json)
