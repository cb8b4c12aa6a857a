"""`connect sandbox`: a provider to try an element against, and what `--sandbox` does with one."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import pairs, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..plugins import Plugins


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
    from ..plugins import Plugins
    from ..testing.serving import Served
    from .service import Stop

    fake = open_sandbox(Plugins.load(), element, fault or ())
    with Stop() as stop, Served(fake, port) as served:
        configuration = dict(fake.configuration(served.url))
        if as_json:
            say_json({"url": served.url, "configuration": configuration})
        else:
            say(f"{element} on {served.url}, until Ctrl-C")
            pairs(configuration, "  ")
            given = " ".join(f"--set {key}={value}" for key, value in configuration.items())
            say(f"Connect to it with: connect run {element} {given}")
        tell = (lambda _change: None) if as_json else say
        with people(fake, changes, tell, stop.event) if changes else contextlib.nullcontext():
            stop.wait()


def open_sandbox(plugins: Plugins, key: str, faults: Sequence[str]) -> Any:
    from ..errors import ConfigurationError

    element = plugins.element(key)
    fake = plugins.open_sandbox(element)
    if fake is None:
        raise ConfigurationError(
            f"{key} has no sandbox", hint=f"the plugin {plugins.owner_of(key)!r} would have to bring one"
        )
    if faults:
        try:
            fake.break_with(faults)
        except AttributeError:
            raise ConfigurationError(f"the sandbox of {key} knows no faults", where="--fault") from None
        except ValueError as error:
            raise ConfigurationError(str(error), where="--fault") from None
    return fake


@contextlib.contextmanager
def people(fake: Any, per_second: float, tell: Callable[[str], None], ended: threading.Event) -> Iterator[None]:
    """People who change records until `ended` is set or the block is left."""

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
