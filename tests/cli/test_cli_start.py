"""What starting the command line costs, and commands that plugins add."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

HEAVY = {
    "requests",
    "requests_oauthlib",
    "sqlalchemy",
    "alembic",
    "marshmallow",
    "msgspec",
    "lark",
    "cryptography",
    "waitress",
    "werkzeug",
    "pluggy",
    "dateutil",
}

PROBE = """
import sys
sys.argv = ["connect", *{arguments}]
from connectory.cli import main
try:
    main()
except SystemExit:
    pass
print("MODULES", sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["plugin", "check", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = PROBE.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.rpartition("MODULES")[2].replace("'", '"')))
    assert loaded & HEAVY == set()


def test_version():
    done = subprocess.run([sys.executable, "-m", "connectory", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("connectory 0.")


def test_a_command_of_a_plugin(monkeypatch):
    from typer.testing import CliRunner

    from connectory import hookimpl
    from connectory.cli.app import app
    from connectory.plugins import Plugins

    class Greeting:
        @hookimpl
        def connect_add_commands(self, cli):
            @cli.command()
            def greet() -> None:
                print("hello from a plugin")

    def load(only=None):
        found = Plugins()
        found.register(Greeting(), "greeting")
        return found

    monkeypatch.setattr(Plugins, "load", load)
    assert CliRunner().invoke(app, ["greet"]).stdout == "hello from a plugin\n"
    assert CliRunner().invoke(app, ["no-such-command"]).exit_code == 2


def test_lists_for_people_and_programs(tmp_path):
    from typer.testing import CliRunner

    from connectory.cli.app import app

    def run(*arguments):
        done = CliRunner().invoke(app, [*arguments, "--home", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "servicenowoauth" in run("plugins")
    plugins = json.loads(run("plugins", "--json"))
    assert any(plugin["elements"] == ["servicenowoauth"] for plugin in plugins)
    assert "servicenowoauth" in run("elements")
    shown = json.loads(run("elements", "show", "servicenowoauth", "--json"))
    assert {resource["name"] for resource in shown["resources"]} == {"accounts", "contacts", "agents", "incidents"}
    assert any(key["key"] == "oauth.api.secret" and key["secret"] for key in shown["configuration"])
    assert "servicenow.subdomain" in run("elements", "show", "servicenowoauth")
    assert json.loads(run("instances", "list", "--json")) == []
    run("events", "list")
    run("deliveries", "list")


def test_ctrl_c_stops_cleanly_and_reading_commands_work_beside_it(tmp_path):
    run = [sys.executable, "-m", "connectory", "run", "servicenowoauth", "--sandbox", "--json", "--home", str(tmp_path)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as engine:
        line = json.loads(engine.stdout.readline())
        assert line["kind"] in {"poll", "event"}
        reading = [sys.executable, "-m", "connectory", "instances", "list", "--json", "--home", str(tmp_path)]
        found = json.loads(subprocess.run(reading, capture_output=True, text=True, check=True).stdout)
        assert found[0]["state"] == "active"
        deadline = time.monotonic() + 40
        for text in engine.stdout:
            if json.loads(text)["kind"] == "delivery" or time.monotonic() > deadline:
                break
        os.kill(engine.pid, signal.SIGINT)
        rest, errors = engine.communicate(timeout=40)
        assert engine.returncode == 0, errors
        assert json.loads(rest.splitlines()[-1])["kind"] == "summary"


def test_the_list_of_commands_is_what_the_commands_say_of_themselves():
    import importlib

    import typer

    from connectory.cli.app import COMMANDS

    for name, (module, text) in COMMANDS.items():
        made = typer.Typer()
        made.callback()(lambda: None)
        importlib.import_module(f"connectory.cli.{module}").register(made)
        command = typer.main.get_group(made).commands[name]
        assert command.help.split("\n\n")[0].replace("\n", " ") == text
