"""The command line application: its options, its commands, and how errors are shown."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .. import __version__
from .output import error_object, print_error, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Each command with its file and its help, so that the list can be shown without importing the files.
COMMANDS = {
    "run": ("run", "Poll an instance of an element and deliver what changes, until Ctrl-C."),
    "poll": ("poll", "Poll an instance and deliver what changes, until Ctrl-C."),
    "instances": ("instances", "Create, show and change instances."),
    "elements": ("elements", "Show the elements that are installed."),
    "plugins": ("plugins", "List the installed plugins, their hooks and elements, and why one is quarantined."),
    "plugin": ("plugin", "Write plugins: start a new one, and check how good it is."),
    "events": ("events", "Look at the events that were announced."),
    "deliveries": ("deliveries", "Look at what was sent, and whether it arrived."),
    "explain": ("explain", "Show what the next poll would do and why. Nothing is announced, remembered or moved."),
    "doctor": (
        "doctor",
        "Check the login, the clocks, one record of each resource, and the rights needed to find deletions.",
    ),
    "cursor": ("cursor", "Show or move a cursor: the moment up to which a resource was announced."),
    "backfill": (
        "backfill",
        "Announce the records in a span of time that were missed before. The cursor stays where it is.",
    ),
    "sandbox": (
        "sandbox",
        "Run an element's sandbox: an HTTP server on this machine that acts as its provider, until Ctrl-C.",
    ),
    "listen": ("listen", "Receive notifications, verify their signatures, and print them, until Ctrl-C."),
    "version": ("version", "Print the version."),
}

_ANYWHERE = {"--home": 1, "-v": 0, "-vv": 0, "--verbose": 0}

_EPILOG = (
    "Exit codes: 0 success, 1 an unexpected error or you answered no, 2 bad input, 3 login refused, 4 the provider"
    " failed, 5 the store failed, 6 a conflict with another process or state. Plugins may add commands;"
    " `connect plugins` lists the plugins."
)


class ConnectGroup(TyperGroup):
    """Takes general options anywhere, finds the commands of plugins, and turns errors into messages and exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["connectory.json"] = "--json" in args
        return super().parse_args(ctx, _general_first(args))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if ctx.meta.get("connectory.listing") and cmd_name in COMMANDS:
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])
        return _built(ctx, cmd_name) if cmd_name in COMMANDS else _command_of_a_plugin(ctx, cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        ctx.meta["connectory.listing"] = True
        super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        ctx.meta["connectory.listing"] = True
        return super().shell_complete(ctx, incomplete)

    def invoke(self, ctx: Any) -> Any:
        from ..errors import ConnectoryError

        as_json = ctx.meta["connectory.json"]
        try:
            return super().invoke(ctx)
        except ConnectoryError as error:
            print_error(error, as_json=as_json)
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            if _is_clicks_own(error):
                if as_json and hasattr(error, "format_message"):
                    say_json(error_object(error.format_message(), exit_code=getattr(error, "exit_code", 2)))
                raise
            if os.environ.get("CONNECTORY_DEBUG"):
                raise
            text = f"an unexpected error occurred: {type(error).__name__}: {error}"
            print_error(ConnectoryError(text, hint="set CONNECTORY_DEBUG=1 to see where"), as_json=as_json)
            raise typer.Exit(1) from None


def _is_clicks_own(error: Exception) -> bool:
    """Whether Click shows the error by itself, as it does with wrong options. Recent Typers bring their own Click."""
    return type(error).__module__.partition(".")[0] in {"typer", "click"}


def _general_first(args: Sequence[str]) -> list[str]:
    """`connect run X --home H` means the same as `connect --home H run X`."""
    general: list[str] = []
    others: list[str] = []
    words = iter(args)
    for word in words:
        name = word.partition("=")[0]
        if name not in _ANYWHERE:
            others.append(word)
            continue
        general.append(word)
        if "=" not in word:
            general += [value for _, value in zip(range(_ANYWHERE[name]), words, strict=False)]
    return general + others


def _built(ctx: Any, name: str) -> Any:
    module = importlib.import_module(f".{COMMANDS[name][0]}", __package__)
    return _commands_that(module.register).get_command(ctx, name)


def _commands_that(register: Callable[[typer.Typer], None]) -> Any:
    added = typer.Typer()
    # Without a callback, Typer does not make a group of a single command.
    added.callback()(lambda: None)
    register(added)
    return typer.main.get_group(added)


def _command_of_a_plugin(ctx: Any, name: str) -> Any:
    """Plugins are asked only when the name is unknown, because asking imports them all."""
    from ..app import Elements

    return _commands_that(Elements.load().add_commands).get_command(ctx, name)


app = typer.Typer(
    cls=ConnectGroup,
    no_args_is_help=True,
    epilog=_EPILOG,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"connectory {__version__}")
        raise typer.Exit


@app.callback()
def connect(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(envvar="CONNECTORY_HOME", help="The folder of the store; goes before or after the command."),
    ] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Log more; give it twice for all.")] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Poll the systems your customers use, and deliver what changed as signed notifications."""
    if context.obj is None:
        from .opening import settings_of

        context.obj = settings_of(home)
    _log(verbose)


def _log(verbose: int) -> None:
    import logging

    from ..secrets import install_redaction

    level = [logging.WARNING, logging.INFO, logging.DEBUG][min(verbose, 2)]
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("waitress").setLevel(logging.ERROR)
    install_redaction()
