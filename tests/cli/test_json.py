"""The one rule of `--json`, held against every command. docs/reference/json.md tells it to people."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import urllib.request
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from connectory.app.instances import Instances
from connectory.cli import sandbox
from connectory.cli.app import app
from connectory.cli.stopping import Stop
from connectory.signature import ELEMENTS_ID

CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
# Below these names the keys are data: the configuration's own, fields of a provider's record, types of events.
DATA = {"configuration", "record", "wouldAnnounce"}

# Each command by what it prints, with its arguments, and for lines with the kinds that these arguments make it print.
OBJECT = {
    "backfill": ["snow", "incidents", "--from", "2026-01-01T00:00:00Z", "--dry-run"],
    "cursor reset": ["snow", "incidents"],
    "cursor rewind": ["snow", "incidents", "--since", "2026-03-01T12:00:00Z"],
    "cursor show": ["snow", "incidents"],
    "deliveries resume": ["snow"],
    "deliveries show": ["1"],
    "elements show": ["servicenowoauth"],
    "explain": ["snow", "incidents"],
    "instances allow-mass-delete": ["snow", "agents"],
    "instances create": ["--file", "body.json"],
    "instances delete": ["snow", "--yes"],
    "instances pause": ["snow"],
    "instances reauth": ["snow"],
    "instances resume": ["snow"],
    "instances show": ["snow"],
    "instances update": ["snow", "--tag", "x"],
    "plugin check": ["connectory-servicenow", "--no-tests"],
    "plugin new": ["acme-shop", "--into", "shop"],
    "plugins --trace": ["servicenowoauth"],
    "version": [],
}
ARRAY = {
    "deliveries list": [],
    "elements": [],
    "events list": ["--records"],
    "instances list": [],
    "plugins": [],
}
LINES = {
    "doctor": (["snow"], {"check"}),
    "events tail": ([], {"event"}),
    "listen": (["--port", "PORT"], {"listening", "notification"}),
    "poll": (["snow", "--once"], {"poll", "event", "delivery", "summary"}),
    "run": (["servicenowoauth", "--name", "snow", "--once"], {"poll", "event", "delivery", "summary"}),
    "sandbox": (["servicenowoauth", "--changes", "1"], {"sandbox", "change"}),
}


@pytest.fixture
def world(snow, tmp_path, monkeypatch):
    """An instance that announced something and has news to poll, on the application that the commands work on."""
    monkeypatch.setattr(Instances, "log_in", lambda *_: snow.token())
    monkeypatch.setattr(Instances, "allow_mass_delete", lambda self, instance, _resource: self.get(instance))
    snow.app.instances.update(
        snow.create(**{"event.notification.callback.url": "http://127.0.0.1:9/events"}), name="snow"
    )
    snow.poll()
    make_news(snow)
    snow.poll()
    make_news(snow)
    body = {"element": {"key": "servicenowoauth"}, "configuration": snow.configuration()}
    (tmp_path / "body.json").write_text(json.dumps(body))
    monkeypatch.chdir(tmp_path)
    return snow


def make_news(snow) -> None:
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.clock.advance(60)


@pytest.fixture
def connect(world):
    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments, "--json"], obj=world.app)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def leaves() -> set[str]:
    """Every command that does something, by its words."""
    found = set()
    top = typer.main.get_command(app)
    with typer.Context(top, info_name="connect") as context:
        for name in top.list_commands(context):
            command = top.get_command(context, name)
            below = getattr(command, "commands", {})
            found |= {f"{name} {one}" for one in below}
            if not below or command.invoke_without_command:
                found.add(name)
    return found


def wrong_keys(value: object) -> list[str]:
    if isinstance(value, list):
        return [key for item in value for key in wrong_keys(item)]
    if not isinstance(value, dict):
        return []
    wrong = [key for key in value if not CAMEL.fullmatch(key)]
    below = [key for name, item in value.items() if not holds_data(name, item) for key in wrong_keys(item)]
    return wrong + below


def holds_data(name: str, value: object) -> bool:
    return name in DATA and isinstance(value, dict)


def test_every_command_takes_json_and_is_tried_here():
    assert {*OBJECT, *ARRAY, *LINES} - {"plugins --trace"} == leaves()


@pytest.mark.parametrize("command", OBJECT)
def test_what_shows_one_thing_prints_one_object(connect, command):
    shown = json.loads(connect(*command.split(), *OBJECT[command]))
    assert isinstance(shown, dict)
    assert "kind" not in shown
    assert wrong_keys(shown) == []


@pytest.mark.parametrize("command", ARRAY)
def test_what_lists_prints_one_array(connect, command):
    shown = json.loads(connect(*command.split(), *ARRAY[command]))
    assert isinstance(shown, list)
    assert shown
    assert wrong_keys(shown) == []


@pytest.mark.parametrize("command", LINES)
def test_what_goes_on_prints_lines_of_a_kind(world, connect, monkeypatch, command):
    port = free_port()
    turns = {"events tail": lambda: (make_news(world), world.poll()), "listen": lambda: notify(port)}
    monkeypatch.setattr(Stop, "wait", turn_then_stop(turns.get(command)))
    monkeypatch.setattr(sandbox, "people", one_change)
    arguments, kinds = LINES[command]
    lines = [
        json.loads(line)
        for line in connect(*command.split(), *(port if word == "PORT" else word for word in arguments)).splitlines()
    ]
    assert {line["kind"] for line in lines} == kinds
    assert wrong_keys(lines) == []


def turn_then_stop(turn):
    """In place of `Stop.wait`: do this once, and stop when asked again."""
    left = [turn] if turn else []

    def wait(stop: Stop, seconds: float | None = None) -> bool:
        if left:
            left.pop()()
            return seconds is None
        return True

    return wait


@contextlib.contextmanager
def one_change(_fake, _per_second, tell, _ended):
    tell("somebody changed something")
    yield


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def notify(port: str) -> None:
    body = {"id": "1", "message": {"events": [{"objectType": "incidents", "eventType": "CREATED", "objectId": "a"}]}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(body).encode(), {ELEMENTS_ID: "1"})
    urllib.request.urlopen(request).close()


@pytest.mark.parametrize("command", sorted({*OBJECT, *ARRAY, *LINES}))
def test_bad_options_are_one_object_of_the_kind_error(connect, command):
    shown = json.loads(connect(*command.split(), "--nosuch", code=2))
    assert shown["kind"] == "error"
    assert shown["exitCode"] == 2
    assert "--nosuch" in shown["message"] or command == "plugins --trace"


def test_failures_are_one_object_of_the_kind_error(connect):
    shown = json.loads(connect("instances", "show", "nobody", code=2))
    assert list(shown) == ["kind", "message", "where", "hint", "exitCode"]
    assert shown["kind"] == "error"


def test_the_page_about_json_lists_every_kind():
    page = (Path(__file__).parents[2] / "docs/reference/json.md").read_text()
    table = page.partition("## Kinds of lines")[2].partition("\n## ")[0]
    kinds = {"error"}.union(*(kinds for _, kinds in LINES.values()))
    assert set(re.findall(r"^\| `(\w+)` ", table, flags=re.MULTILINE)) == kinds


def test_a_deletion_that_is_not_confirmed_prints_no_json(connect):
    assert connect("instances", "delete", "snow", code=1).strip() == ""
