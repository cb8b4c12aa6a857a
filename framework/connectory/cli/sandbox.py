"""`connect sandbox`: serves a provider's sandbox, and simulates the people who change its records."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ElementKey, Fault, JsonLines, Port
from .output import pairs, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..sandbox.protocol import ProviderSandbox

_Changes = Annotated[float, typer.Option(min=0, help="How many records the sandbox's people change per second.")]


def register(app: typer.Typer) -> None:
    app.command("sandbox")(sandbox)


def sandbox(
    element: ElementKey,
    port: Port = 0,
    changes: _Changes = 0,
    fault: Fault = None,
    as_json: JsonLines = False,
) -> None:
    """Run an element's sandbox: an HTTP server on this machine that acts as its provider, until Ctrl-C.

    Example: connect sandbox servicenowoauth --port 8090 --changes 1
    """
    from ..app import Elements
    from ..sandbox.protocol import ShowsLogin
    from ..sandbox.serving import Served
    from .stopping import Stop

    def tell(change: str) -> None:
        say_json({"kind": "change", "text": change}) if as_json else say(change)

    fake = Elements.load().open_sandbox(element, fault or ())
    with Stop() as stop, Served(fake, port) as served:
        configuration = dict(fake.configuration(served.url))
        login = fake.credentials if isinstance(fake, ShowsLogin) else None
        if as_json:
            person = dict(zip(("user", "password"), login, strict=True)) if login else None
            say_json({"kind": "sandbox", "url": served.url, "configuration": configuration, "login": person})
        else:
            say(f"{element} on {served.url}, until Ctrl-C")
            pairs(configuration, "  ")
            given = " ".join(f"--set {key}={value}" for key, value in configuration.items())
            say(f"Connect to it with: connect run {element} {given}")
            if login:
                say(f"Log in there as {login[0]} with the password {login[1]}.")
        with people(fake, changes, tell, stop.event) if changes else contextlib.nullcontext():
            stop.wait()


@contextlib.contextmanager
def people(
    fake: ProviderSandbox, per_second: float, tell: Callable[[str], None], ended: threading.Event
) -> Iterator[None]:
    """Simulate people who change records until `ended` is set or the block ends.

    If the sandbox has no `step()`, nothing changes.
    """
    from ..sandbox.protocol import TakesSteps

    if not isinstance(fake, TakesSteps):
        yield
        return

    def work() -> None:
        while not ended.wait(1 / per_second):
            tell(fake.step())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
