"""`connect run --sandbox`: a run against a sandbox of the provider, with a receiver that verifies what arrives."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .output import note, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import typer

    from ..sandbox.protocol import ProviderSandbox
    from ..settings import Settings
    from .body import InstanceOptions
    from .watching import Verified, Watcher
    from .work import Length

# Seconds between two polls.
_INTERVAL = 2.0
# Changes that the sandbox's people make per second.
_PACE = 3.0
# Seconds before the end of a bounded run at which people stop making changes, so that the last ones still arrive.
_LAST_CHANGE = 6 + 3 * _INTERVAL


def run_in_sandbox(
    context: typer.Context, options: InstanceOptions, faults: Sequence[str], length: Length, *, as_json: bool
) -> None:
    from ..app import open_app
    from ..receiver.receiver import Receiver
    from ..sandbox.serving import Served
    from .finding import find_or_create
    from .opening import actor
    from .stopping import Stop
    from .watching import Verified
    from .work import work

    key = secrets.token_urlsafe(24)
    checked = Verified()
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(Stop())
        settings = stack.enter_context(_home(context))
        app = stack.enter_context(open_app(settings.home, actor=actor()))
        fake = app.elements.open_sandbox(options.element, faults)
        provider = stack.enter_context(Served(fake))
        receiver = stack.enter_context(Served(Receiver([key.encode()], checked.take)))
        if not as_json:
            say(f"A sandbox of {options.element} runs on {provider.url}, and a receiver on {receiver.url}.")
        options = _sandboxed(options, fake, provider.url, receiver.url, key)
        instance = find_or_create(app, options, stop, fake)
        with _people(fake, length, silent=as_json):
            watcher = work(app, [instance], stop, length, as_json=as_json, checked=checked)
    _check(watcher, checked)


@contextlib.contextmanager
def _home(context: typer.Context) -> Iterator[Settings]:
    """The folder of `--home`, or else a temporary one: the sandbox's data does not outlive the sandbox."""
    from ..settings import Settings
    from .opening import settings_of

    if context.parent is not None and context.parent.params.get("home"):
        yield context.obj if isinstance(context.obj, Settings) else settings_of(None)
        return
    with tempfile.TemporaryDirectory(prefix="connectory-") as folder:
        yield settings_of(Path(folder))


def _sandboxed(
    options: InstanceOptions, fake: ProviderSandbox, provider: str, receiver: str, key: str
) -> InstanceOptions:
    from ..schemas import CALLBACK_URL, REFRESH_INTERVAL, SIGNATURE_KEY

    sandboxed = dict(fake.configuration(provider)) | {
        CALLBACK_URL: f"{receiver}/events",
        SIGNATURE_KEY: key,
        REFRESH_INTERVAL: str(_INTERVAL / 60),
    }
    return replace(options, sandboxed=sandboxed)


@contextlib.contextmanager
def _people(fake: ProviderSandbox, length: Length, *, silent: bool) -> Iterator[None]:
    """Simulate people, who stop early enough for their last changes to be polled and delivered."""
    from .sandbox import people

    if length.once:
        yield
        return
    if not silent:
        say("Simulated people now change its records; the changes are announced as they are found.")
    home = threading.Event()
    timer = None
    if length.seconds is not None:
        timer = threading.Timer(max(1.0, length.seconds - _LAST_CHANGE), home.set)
        timer.start()
    try:
        with people(fake, _PACE, lambda _change: None, home):
            yield
    finally:
        if timer is not None:
            timer.cancel()


def _check(watcher: Watcher, checked: Verified) -> None:
    """Everything that was announced must have arrived, verified and in order."""
    from ..errors import ConnectoryError

    arrived = sum(checked.events.values())
    if checked.refused:
        raise ConnectoryError(
            f"the receiver refused notifications ({len(checked.refused)}). The first: {checked.refused[0]}"
        )
    if checked.out_of_order:
        raise ConnectoryError(f"events arrived out of order ({checked.out_of_order})")
    if arrived != watcher.total:
        raise ConnectoryError(f"events announced: {watcher.total}, but events that arrived: {arrived}")
    note(f"Every event was delivered ({arrived}), and the receiver verified each signature.")
