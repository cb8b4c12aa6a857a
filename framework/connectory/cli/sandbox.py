"""`connect sandbox`: a provider to try an element against, and what `--sandbox` does with one."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from .output import pairs, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..sandbox.protocol import ProviderSandbox


def register(app: typer.Typer) -> None:
    app.command("sandbox")(sandbox)


def sandbox(
    element: Annotated[str, typer.Argument(help="The element's key.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 0,
    changes: Annotated[float, typer.Option(min=0, help="Changes that people make, per second.")] = 0,
    fault: Annotated[list[str] | None, typer.Option(help="A fault to have, NAME or NAME=VALUE; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Run an element's sandbox: its provider as an HTTP server on this machine, until Ctrl-C.

    Example: connect sandbox servicenowoauth --port 8090 --changes 1
    """
    from ..app import Elements
    from ..sandbox.protocol import ShowsLogin
    from ..sandbox.serving import Served
    from .stopping import Stop

    fake = Elements.load().open_sandbox(element, fault or ())
    with Stop() as stop, Served(fake, port) as served:
        configuration = dict(fake.configuration(served.url))
        login = fake.credentials if isinstance(fake, ShowsLogin) else None
        if as_json:
            person = dict(zip(("user", "password"), login, strict=True)) if login else None
            say_json({"url": served.url, "configuration": configuration, "login": person})
        else:
            say(f"{element} on {served.url}, until Ctrl-C")
            pairs(configuration, "  ")
            given = " ".join(f"--set {key}={value}" for key, value in configuration.items())
            say(f"Connect to it with: connect run {element} {given}")
            if login:
                say(f"Log in there as {login[0]} with the password {login[1]}.")
        tell = (lambda _change: None) if as_json else say
        with people(fake, changes, tell, stop.event) if changes else contextlib.nullcontext():
            stop.wait()


@contextlib.contextmanager
def people(
    fake: ProviderSandbox, per_second: float, tell: Callable[[str], None], ended: threading.Event
) -> Iterator[None]:
    """People who change records until `ended` is set or the block is left. A sandbox without `step()` has none."""
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
