"""`connect explain`, `cursor` and `backfill` as people type them."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from connectory.cli import backfill, cursor, explain
from connectory.errors import ConfigurationError, NotFoundError
from connectory.insight.recorder import recording_scheduler
from connectory.insight.recording import RecordingFile


@pytest.fixture
def connect(snow):
    """Runs a command on the engine of `snow`; errors are raised as they are."""
    app = typer.Typer()
    for commands in (explain, cursor, backfill):
        commands.register(app)

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, arguments, obj=snow.app)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


@pytest.fixture
def instance(snow) -> str:
    instance = snow.create()
    snow.poll(60)
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.clock.advance(60)
    return str(instance)


def test_an_explanation_has_a_section_for_each_question(connect, instance):
    text = connect("explain", instance, "incidents")
    for heading in ("Request", "Window", "Dates", "Pages", "Records", "What the poll would do"):
        assert f"\n{heading}\n" in text
    assert "never announced" in text
    assert "1 CREATED, 0 UPDATED" in text


def test_as_json_it_is_one_object(connect, instance):
    assert json.loads(connect("explain", instance, "incidents", "--json"))["wouldAnnounce"] == {
        "CREATED": 1,
        "UPDATED": 0,
    }


def test_a_poll_that_would_fail_ends_with_the_code_of_its_failure(snow, connect, instance):
    with snow.switched(bad_gateway=True):
        text = connect("explain", instance, "incidents", code=4)
    assert "RetryLater" in text


def test_a_recording_is_explained_without_an_instance(snow, connect, instance, tmp_path):
    said = connect("explain", instance, "incidents", "--json")
    with RecordingFile(tmp_path / "poll.jsonl") as file:
        recording_scheduler(snow.app.parts, file, [int(instance)]).run_once()
    assert connect("explain", "--replay", str(tmp_path / "poll.jsonl"), "--json") == said


def test_with_a_recording_the_only_word_is_the_resource(snow, connect, tmp_path):
    instance = snow.create("incidents", "agents")
    snow.clock.advance(60)
    with RecordingFile(tmp_path / "poll.jsonl") as file:
        recording_scheduler(snow.app.parts, file, [instance]).run_once()
    for words in (["agents"], [str(instance), "agents"]):
        shown = json.loads(connect("explain", "--replay", str(tmp_path / "poll.jsonl"), *words, "--json"))
        assert shown["resource"] == "agents"


def test_what_is_missing_is_said(connect, instance):
    with pytest.raises(ConfigurationError, match="name an instance and a resource"):
        connect("explain")
    with pytest.raises(NotFoundError):
        connect("explain", instance, "accounts")


def test_the_cursor_is_shown_moved_and_reset(snow, connect, instance):
    assert "cursor      2026-03-01T12:00:55Z" in connect("cursor", "show", instance, "incidents")
    text = connect("cursor", "rewind", instance, "incidents", "--since", "2026-03-01T11:00:00Z", "--json")
    assert json.loads(text)["since"] == "2026-03-01T11:00:00Z"
    assert json.loads(connect("cursor", "reset", instance, "incidents", "--json"))["since"] == "2026-03-01T12:02:10Z"
    with pytest.raises(ConfigurationError, match="is not a valid date"):
        connect("cursor", "rewind", instance, "incidents", "--since", "soon")


def test_a_backfill_is_counted_and_then_run(snow, connect, instance):
    arguments = ("backfill", instance, "incidents", "--from", "2026-01-01", "--to", "2026-03-01T13:00:00+01:00")
    connect("cursor", "reset", instance, "incidents")
    counted = json.loads(connect(*arguments, "--dry-run", "--json"))
    assert snow.told() == []
    assert "announced" in connect(*arguments)
    assert len(snow.told()) == counted["created"] + counted["updated"] > 0


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_years_that_no_provider_knows(connect, instance, moment):
    with pytest.raises(ConfigurationError, match="is not a valid date"):
        connect("cursor", "rewind", instance, "incidents", "--since", moment)
    with pytest.raises(ConfigurationError, match="nor a date"):
        connect("cursor", "reset", instance, "incidents", "--to", moment)
