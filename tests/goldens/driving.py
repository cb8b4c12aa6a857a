"""Drives Connectory for the goldens. No other file here imports its modules, so this one follows when they move."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit

import time_machine
import typer
from typer.testing import CliRunner

from connectory.app import App
from connectory.cli.app import app
from connectory.cli.stopping import Stop
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.secrets import redactor
from connectory.settings import Settings
from connectory.testing.clock import ManualClock
from connectory_sageone.sandbox import SageSwitches
from connectory_sageone.sandbox import create_sandbox as create_sage
from connectory_servicenow.sandbox import AclSwitches
from connectory_servicenow.sandbox import create_sandbox as create_snow

from .book import Book, spread
from .wire import Loopback, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
KEY = "signature-key-of-the-goldens"
DONE = "http://127.0.0.1:5000/done"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""When each world begins."""

# One poll and one delivery at a time, so that they happen in one order.
ONE_AT_A_TIME = {"CONNECTORY_WORKERS": "1", "CONNECTORY_DELIVERY_WORKERS": "1"}
TERMINAL = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "FORCE_COLOR": None, "PY_COLORS": None}
NOTHING_OF_OURS = {"CONNECTORY_HOME": None, "CONNECTORY_DATABASE_URL": None, "CONNECTORY_SIGNATURE_KEY": None}


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        text = f"$ connect {' '.join(self.arguments)}\n"
        text += "".join(f"{spread(line)}\n" for line in self.stdout.splitlines())
        text += "".join(f"! {line}\n" for line in self.stderr.splitlines())
        return f"{text}= {self.code}\n"


def run(*arguments: str, held: object = None, answer: str | None = None, now: datetime | None = None) -> Said:
    """Run a command in this process. `held` is what the application works on, `answer` is typed into it."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(time, "perf_counter", return_value=0.0))
        stack.callback(random.setstate, random.getstate())
        # Pauses after failures are drawn; each command begins with the same draw.
        random.seed(1)
        if now is not None:
            stack.enter_context(time_machine.travel(now, tick=False))
        result = CliRunner().invoke(
            app, arguments, obj=held, input=answer, env=TERMINAL | NOTHING_OF_OURS, prog_name="connect"
        )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(arguments, result.exit_code, result.stdout, result.stderr)


def commands() -> list[tuple[str, ...]]:
    """The words of every command and of every group of commands."""
    found: list[tuple[str, ...]] = [()]
    top = typer.main.get_command(app)
    with typer.Context(top, info_name="connect") as context:
        for name in top.list_commands(context):
            command = top.get_command(context, name)
            found.append((name,))
            found += [(name, below) for below in getattr(command, "commands", {})]
    return found


@contextlib.contextmanager
def waiting(*turns: Callable[[], object]) -> Iterator[None]:
    """Commands that go on until Ctrl-C do these things where they would wait, and then they are stopped."""
    left = list(turns)

    def wait(stop: Stop, seconds: float | None = None) -> bool:
        while left:
            left.pop(0)()
            if seconds is not None:
                return False
        stop.set()
        return True

    with mock.patch.object(Stop, "wait", wait):
        yield


@contextlib.contextmanager
def isolated(folder: Path) -> Iterator[None]:
    """Nothing of other scenarios: no secrets that were learnt, no log, and relative paths lead into the folder."""
    before = Path.cwd()
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    os.chdir(folder)
    try:
        with mock.patch.object(redactor, "_learnt", {}), mock.patch.object(redactor, "_index", {}):
            yield
    finally:
        os.chdir(before)
        logging.getLogger().removeHandler(silent)
        logging.setLogRecordFactory(factory)
        sys.excepthook, threading.excepthook = hook, thread_hook


class World:
    """An engine, a receiver, and the sandboxes of both elements, on one clock."""

    def __init__(self, folder: Path, book: Book, **sage: Any) -> None:
        self.book = book
        self.folder = folder
        self.clock = ManualClock(START)
        self.snow = create_snow(clock=self.clock, incidents=6, companies=3, users=25)
        self.sage = create_sage(clock=self.clock, contacts=6, products=3, invoices=3, switches=SageSwitches(**sage))
        # Records are full of links, and notifications of records: with a port in them no signature would be the same.
        self.snow.switches = replace(self.snow.switches, link_base="http://servicenow.example")
        self.receiver = Receiver()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.at_snow = stack.enter_context(Loopback(self.snow))
            self.at_sage = stack.enter_context(Loopback(self.sage))
            self.at_receiver = stack.enter_context(Loopback(self.receiver))
            settings = Settings.load(self.folder / "home", ONE_AT_A_TIME)
            self.app = App(Parts(settings, plugins=Plugins.load(), clock=self.clock))
            stack.callback(self.app.close)
            stack.callback(self.app.parts.sessions.close)
            self._stack = stack.pop_all()
        for number, served in enumerate((self.at_snow, self.at_sage, self.at_receiver), 1):
            self.book.replacements[f":{served.port}"] = f":{str(number) * 5}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    # What happens

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def connect(self, *arguments: str, page: str | None = None, **more: Any) -> Said:
        """Run a command on the engine, and write down what it says."""
        said = run(*arguments, held=self.app, **more)
        words = [word for word in arguments if not word.startswith("-")]
        is_below = words[0] in {"instances", "elements", "plugin", "events", "deliveries", "cursor"}
        self.book.add(page or "-".join(words[: 1 + is_below]), str(said))
        return said

    def both(self, *arguments: str) -> None:
        """The same for people and for programs."""
        self.connect(*arguments)
        self.connect(*arguments, "--json")

    def both_into(self, page: str, *arguments: str) -> None:
        """The same for people and for programs, onto one page."""
        self.connect(*arguments, page=page)
        self.connect(*arguments, "--json", page=page)

    def announce(self) -> None:
        """Poll everything that is due, without a word."""
        self.app.polls.run_due()

    def poll(self, instance: str, *options: str) -> None:
        """Poll an instance once, and write down what was printed and what was asked of the providers."""
        self.connect("poll", instance, "--once", *options)
        self.write_requests()

    def write_requests(self) -> None:
        """What the providers were asked since the last time."""
        for name, served in (("servicenow", self.at_snow), ("sageone", self.at_sage)):
            taken = served.taken()
            if taken:
                self.book.add(f"requests-{name}", "\n".join(map(str, taken)) + "\n")

    def write_notifications(self) -> None:
        """What the receiver was sent since the last time, by number."""
        taken = sorted(self.at_receiver.taken(), key=lambda asked: int(dict(asked.headers)["webhook-id"]))
        for asked in taken:
            headers = "".join(f"{name}: {value}\n" for name, value in asked.headers)
            answer = f"-> {asked.status}\n"
            self.book.add("notifications", f"POST {asked.target}\n{headers}\n{asked.body.decode()}\n{answer}")

    # Logins

    def snow_code(self) -> str:
        """A code of the ServiceNow sandbox's own person."""
        return self._hidden(_code(self.snow, f"{self.at_snow.url}/oauth_auth.do", state="s"))

    def sage_code(self) -> str:
        """A code of the Sage sandbox's own person."""
        return self._hidden(_code(self.sage, str(self.sage.configuration(self.at_sage.url)["oauth.authorization.url"])))

    def _hidden(self, code: str) -> str:
        self.book.replacements[code] = "***"
        return code

    def switch_snow(self, **switches: Any) -> None:
        acl = switches.pop("acl", None)
        if acl is not None:
            switches["acl"] = AclSwitches(**acl)
        self.snow.switches = replace(self.snow.switches, **switches)

    def configuration(self, sandbox: Any, served: Loopback, **more: Any) -> dict[str, Any]:
        """What an instance needs to know of a sandbox and of the receiver."""
        return {
            **sandbox.configuration(served.url),
            "oauth.callback.url": DONE,
            "event.notification.enabled": True,
            "event.notification.callback.url": f"{self.at_receiver.url}/events",
            "event.notification.signature.key": KEY,
            "event.poller.refresh_interval": 1,
            **more,
        }


def _code(sandbox: Any, url: str, **more: str) -> str:
    asked = {"client_id": "sandbox-client", "response_type": "code", "redirect_uri": DONE, "filter": "apiv3.1"} | more
    answer = sandbox.consent(f"{url}?{urlencode(asked)}")
    return parse_qs(urlsplit(answer).query)["code"][0]
