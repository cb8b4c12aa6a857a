"""Each program of `docs/howto/run-it-inside-your-own-program.md` does what the page says."""

from __future__ import annotations

import functools
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from ownprogram import block, blocks, script

import connectory
from connectory.app import Elements, open_app
from connectory.plugins import Plugins

HURRY = 20
"""How many times faster than this machine's clock those of the engine and of the sandbox go."""


class HurriedClock:
    def __init__(self) -> None:
        self._start, self._began = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=HURRY * (time.monotonic() - self._began))

    __call__ = now

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds / HURRY)


@pytest.fixture
def hurried(monkeypatch, tmp_path):
    """Programs begin in an empty folder, and a second lasts less than one. A timer also waits for the first event."""
    clock, open_sandbox, apps = HurriedClock(), Elements.open_sandbox, []

    def on_clock(self, key):
        fake = open_sandbox(self, key)
        fake.clock.source = clock
        return fake

    def opened(*arguments, **options):
        apps.append(open_app(*arguments, **options, clock=clock))
        return apps[-1]

    class Timer(threading.Thread):
        def __init__(self, seconds, call) -> None:
            super().__init__(daemon=True)
            self.seconds, self.call, self.never = seconds, call, threading.Event()

        def run(self) -> None:
            clock.wait(self.never, self.seconds)
            until = time.monotonic() + 60
            while not apps[-1].events.find() and time.monotonic() < until:
                clock.wait(self.never, 1)
            self.call()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Elements, "open_sandbox", on_clock)
    monkeypatch.setattr(threading, "Timer", Timer)
    monkeypatch.setattr(connectory, "open", opened, raising=False)
    return clock


def test_every_block_is_run_here():
    assert {block(part) for part in PARTS} == set(blocks())


PARTS = ("threading.Timer", "Observer", "Flask", "def allows", "def test_")


def test_the_script_prints_its_events(hurried, capsys):
    assert len([line for line in script().splitlines() if line.strip()]) <= 25
    exec(script(), {})
    lines = capsys.readouterr().out.splitlines()
    changes = [line for line in lines if line.startswith("in the sandbox:")]
    events = lines[len(changes) :]
    assert len(changes) == 3
    assert 1 <= len(events) <= 3
    assert all(line.split()[2] in {"CREATED", "UPDATED"} for line in events)


def test_an_observer_is_told(snow, capsys):
    names: dict = {}
    exec(block("Observer"), names)
    snow.create()
    snow.clock.advance(10)
    made = snow.sandbox.insert("incident", {})["sys_id"]
    snow.clock.advance(60)
    snow.app.run_once(observer=names["Printer"]())
    assert capsys.readouterr().out == f"CREATED incidents {made}\n"


def test_the_web_application_answers(snow):
    pytest.importorskip("flask")
    names: dict = {"__name__": "web"}
    exec(block("Flask"), names)
    acts: list = []
    snow.app.acts.watch(acts.append)
    web = names["create_web"](snow.app).test_client()
    configuration = snow.configuration(username="integration", password="integration")
    body = {"element": {"key": "servicenowoauth"}, "configuration": configuration}
    made = web.post("/instances", json=body, auth=("ann", "secret"))
    assert (made.status_code, made.json["configuration"]["password"]) == (201, "********")
    assert [act.actor for act in acts] == ["web:ann"]
    snow.clock.advance(10)
    incident = snow.sandbox.insert("incident", {})["sys_id"]
    snow.clock.advance(60)
    snow.app.run_once()
    assert [event["objectId"] for event in web.get("/instances/1/events").json] == [incident]
    assert [one["id"] for one in web.get("/instances").json] == [1]
    refused = web.get("/instances/99/events")
    assert (refused.status_code, refused.json["message"]) == (404, "there is no instance 99")
    assert web.post("/instances", json={"element": {"key": "servicenowoauth"}}).status_code == 400


def test_the_server_polls_while_it_answers(hurried, monkeypatch):
    flask = pytest.importorskip("flask")
    served = []

    def run(self):
        names = {thread.name for thread in threading.enumerate()}
        served.append({"polling", "delivering"} <= names and self.test_client().get("/instances").json)

    monkeypatch.setattr(flask.Flask, "run", run)
    exec(block("Flask"), {"__name__": "__main__"})
    assert served == [[]]


def test_changes_are_refused_and_told(snow, monkeypatch, capsys):
    opened = functools.partial(open_app, plugins=Plugins.load(["servicenowoauth"]))
    monkeypatch.setattr(connectory, "open", lambda _home, **options: opened(snow.home, **options), raising=False)
    instance = snow.create()
    names: dict = {}
    exec(block("def allows"), names)
    with names["app"] as app:
        with pytest.raises(connectory.ConfigurationError, match="python may not delete instance 1"):
            app.instances.delete(instance)
        app.instances.pause(instance)
        app.instances.delete(instance, actor="web:admin")
    assert capsys.readouterr().out == "python instances.pause 1\nweb:admin instances.delete 1\n"


names: dict = {}
exec(block("def test_"), names)
test_a_new_incident_is_announced = names["test_a_new_incident_is_announced"]
