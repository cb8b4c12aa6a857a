"""`connect doctor`, the consent to a mass deletion, and a recorded poll, as people type them."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from connectory.cli import doctor, explain, instances, poll
from connectory.errors import ConflictError, NotFoundError
from shelf import SWEEP, Shelf


@pytest.fixture
def connect(snow):
    return commands_on(snow.app)


@pytest.fixture
def swept(tmp_path):
    """A shelf from which so much has vanished at once that nobody believes it."""
    with Shelf(tmp_path / "shelf", SWEEP) as shelf:
        for number in range(40):
            shelf.put(f"{number:02}")
        shelf.clock.advance(3600)
        shelf.create()
        shelf.poll()
        for number in range(20):
            shelf.remove(f"{number:02}")
        shelf.poll()
        shelf.poll()
        assert shelf.deleted() == []
        yield shelf


def commands_on(app):
    """Runs a command on an application; errors are raised as they are."""
    typed = typer.Typer()
    for commands in (doctor, explain, instances, poll):
        commands.register(typed)

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(typed, arguments, obj=app)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_a_healthy_instance_ends_with_0(snow, connect):
    snow.create("incidents", "agents")
    text = connect("doctor", "servicenowoauth", "--deletions")
    assert text.startswith("servicenowoauth (1)\n  ok       login: the provider accepts it\n")
    for name in ("clock", "read incidents", "deletions of incidents", "read agents", "deletions of agents"):
        assert f"  ok       {name}: " in text


def test_all_instances_are_checked_where_none_is_named(snow, connect):
    snow.create()
    snow.create()
    checks = [json.loads(line) for line in connect("doctor", "--json").splitlines()]
    assert [check["check"] for check in checks] == ["login", "clock", "read incidents"] * 2
    assert {check["instanceId"] for check in checks} == {1, 2}


def test_what_failed_gives_the_exit_code_and_the_others_are_checked_all_the_same(snow, connect):
    for _ in range(2):
        snow.create()
    snow.sandbox.faults.script(["hibernate"])
    text = connect("doctor", code=4)
    assert "  failed   login: " in text
    assert "  ok       read incidents: " in text


def test_without_an_instance(snow, connect):
    assert "`connect run ELEMENT` creates one" in connect("doctor")
    with pytest.raises(NotFoundError):
        connect("doctor", "nobody")


def test_an_alarm_is_shown_and_somebody_can_say_that_it_is_true(swept):
    connect = commands_on(swept.app)
    assert "connect instances allow-mass-delete 1 things" in connect("doctor")
    assert "20 of 40" in connect("instances", "show", "1", "--json")
    assert connect("instances", "allow-mass-delete", "1", "things").startswith("Instance 1 (shelf)")
    swept.poll()
    swept.poll()
    assert sorted(swept.deleted()) == [f"{number:02}" for number in range(20)]


def test_there_is_nothing_to_allow(snow, connect):
    snow.create("agents")
    with pytest.raises(NotFoundError, match="are not tracked"):
        connect("instances", "allow-mass-delete", "1", "agents")
    with Shelf(snow.home / "shelf", SWEEP) as shelf:
        shelf.create()
        shelf.poll()
        with pytest.raises(ConflictError, match="there is no alarm"):
            commands_on(shelf.app)("instances", "allow-mass-delete", "1", "things")


def test_a_recorded_poll_is_explained_offline(snow, connect, tmp_path):
    snow.create()
    snow.poll()
    snow.clock.advance(60)
    made = snow.sandbox.insert("incident", {"short_description": "it burns"})["sys_id"]
    snow.clock.advance(60)
    file = tmp_path / "poll.json"
    told = [json.loads(line) for line in connect("poll", "1", "--record", str(file), "--json").splitlines()]
    assert made in json.dumps(told)
    assert snow.app.parts.tokens.load(1).access_token.reveal() not in file.read_text()
    asked = snow.requests()
    assert json.loads(connect("explain", "--replay", str(file), "--json"))["wouldAnnounce"]["CREATED"] == 1
    assert snow.requests() == asked
