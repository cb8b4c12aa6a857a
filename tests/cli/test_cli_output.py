"""Where the output goes nowhere, what others wrote, and runs that cannot go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner
from werkzeug.wrappers import Response as WsgiResponse

from connectory.cli import deliveries, instances, poll
from connectory.cli.app import app
from connectory.cli.watching import Watcher
from connectory.errors import ConfigurationError, NotFoundError, StoreError
from connectory.sandbox.serving import Served
from connectory.store import deliveries as stored
from connectory.store.database import Database
from world import DATES, Snow, entry


@pytest.fixture
def connect(snow):
    """Runs a command on the engine of `snow`; errors are raised as they are."""
    some = typer.Typer()
    for commands in (deliveries, instances, poll):
        commands.register(some)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(some, arguments, obj=snow.app)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


def process(tmp_path, *arguments: str, **options) -> subprocess.Popen:
    code = "from connectory.cli import main; main()"
    environ = os.environ | {"CONNECTORY_HOME": str(tmp_path / "home")}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environ, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("command", [["--help"], ["plugins", "--json"], ["version"], ["elements"]])
def test_an_output_that_is_full_is_an_error_of_one_line(tmp_path, command):
    with open("/dev/full", "w") as full, process(tmp_path, *command, stdout=full) as running:  # noqa: PTH123
        said = running.stderr.read()
    assert (said, running.returncode) == ("error: the output cannot be written: No space left on device\n", 1)


@pytest.mark.parametrize("command", [["--help"], ["plugins", "--json"], ["instances", "list"]])
def test_a_reader_that_has_had_enough_is_no_error(tmp_path, command):
    read, write = os.pipe()
    os.close(read)
    with process(tmp_path, *command, stdout=write) as running:
        os.close(write)
        said = running.stderr.read()
    assert (said, running.returncode) == ("", 1)


def test_a_run_whose_reader_goes_away_ends(tmp_path):
    arguments = ["run", "servicenowoauth", "--sandbox", "--for", "100s", "--json"]
    begun = time.monotonic()
    with process(tmp_path, *arguments, stdout=subprocess.PIPE) as running:
        assert json.loads(running.stdout.readline())["kind"] == "poll"
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode == 1
    assert "error" not in said.lower()
    assert time.monotonic() - begun < 60


def test_without_any_output_it_works_all_the_same(tmp_path):
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-c', sys.argv[1], 'plugins'])"
    command = [sys.executable, "-c", code, "from connectory.cli import main; main()"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_a_receiver_answers_does_not_reach_the_terminal(snow, connect):
    with Served(WsgiResponse("\x1b]0;gotcha\x07", 500)) as receiver:
        instance = announce_to(snow, receiver.url)
        connect("poll", str(instance), "--once")
        with snow.app.parts.database.read() as connection:
            delivery = stored.find(connection)[0]["id"]
        text = connect("deliveries", "show", str(delivery))
    assert "gotcha" in text
    assert "\x1b" not in text


def announce_to(snow, url: str) -> int:
    instance = snow.create(**{"event.notification.callback.url": url})
    snow.poll()
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.clock.advance(60)
    return instance


def test_a_receiver_that_is_gone_is_named_and_can_be_tried_again(snow, connect):
    receiver_says = WsgiResponse("", 410)
    with Served(receiver_says) as receiver:
        instance = str(announce_to(snow, receiver.url))
        connect("poll", instance, "--once")
        assert "deactivated" in connect("instances", "show", instance)
        assert f"connect deliveries resume {instance}" in connect("poll", instance, "--once")
        receiver_says.status_code = 200
        assert f"reactivated: 1. `connect poll {instance}`" in connect("deliveries", "resume", instance)
        connect("poll", instance, "--once")
        assert "No receiver of instance" in connect("deliveries", "resume", instance)
    assert delivered(snow) == ["delivered"]


def delivered(snow) -> list[str]:
    with snow.app.parts.database.read() as connection:
        return [row["status"] for row in stored.find(connection)]


def test_a_poll_ends_when_its_instance_is_deleted(snow, connect, monkeypatch):
    instance = snow.create()
    monkeypatch.setattr(Watcher, "polled", lambda _watcher, _summary: snow.app.instances.delete(instance))
    assert "The instance was deleted" in connect("poll", str(instance))


@pytest.mark.parametrize("reference", ["9" * 30, str(2**63), "7"])
def test_ids_that_nothing_has(snow, connect, reference):
    with pytest.raises(NotFoundError, match="there is no instance"):
        connect("instances", "show", reference)


def test_a_name_that_several_have_is_bad_input(snow, connect):
    snow.create()
    snow.create()
    with pytest.raises(ConfigurationError, match="several instances are called 'servicenowoauth': 1, 2"):
        connect("instances", "show", "servicenowoauth")


def test_names_and_tags_hold_nothing_that_a_terminal_obeys(snow, connect):
    instance = str(snow.create())
    connect("instances", "update", instance, "--name", "a\x1b[31m\nb", "--tag", "", "--tag", "x\x07y")
    row = snow.app.instances.get(int(instance))
    assert (row.name, row.tags) == ("a [31m b", ("x y",))


def test_a_key_that_is_misspelt_is_pointed_out(snow, connect):
    text = connect("instances", "update", str(snow.create()), "--set", "event.poller.refresh_intervall=5")
    assert (
        "'event.poller.refresh_intervall' is kept, but nothing reads it: did you mean 'event.poller.refresh_interval'?"
        in text
    )


def test_warnings_about_an_entry_are_said_whenever_it_is_polled_or_changed(snow, connect):
    coarse = dict(DATES, updatedDateFormat="yyyy-MM-dd")
    wrong = {"incidents": entry("incidents", datesConfiguration=coarse, trackDelete=True)}
    instance = str(snow.create(**{"event.poller.configuration": wrong}))
    for command in (["poll", instance, "--once"], ["instances", "update", instance, "--name", "x"]):
        text = connect(*command)
        assert "warning: incidents: updatedDateFormat is exact to the day only" in text
        assert "'trackDelete' is kept, but nothing reads it: did you mean 'trackDeletes'?" in text


def test_what_is_shown_masked_can_be_given_back(snow, connect, tmp_path):
    instance = snow.create(**{"event.notification.signature.key": "sk1"})
    shown = json.loads(connect("instances", "show", str(instance), "--json"))
    assert "sk1" not in json.dumps(shown)
    file = tmp_path / "shown.json"
    file.write_text(json.dumps(shown))
    connect("instances", "update", str(instance), "--file", str(file))
    assert snow.app.parts.signature_keys(instance) == [b"sk1"]
    assert snow.app.parts.runtimes.get(instance).config["oauth.api.secret"].reveal() == "sandbox-secret"
    with pytest.raises(
        ConfigurationError, match=r"configuration\.oauth\.api\.secret: \*+ is shown in place of a secret"
    ):
        snow.create(**{"oauth.api.secret": "********"})


def test_records_whose_id_is_looked_for_in_the_wrong_place_stop_the_poll(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", idField="nosuch")}})
    snow.poll()
    snow.clock.advance(60)
    snow.sandbox.insert("incident", {})
    before = snow.state().since
    snow.poll()
    assert "no record of incidents has the id field 'nosuch'" in snow.state().failure
    assert snow.state().since == before
    snow.app.instances.update(instance, configuration={"event.poller.configuration": {"incidents": entry("incidents")}})
    snow.poll(3600)
    snow.poll()
    assert [kind for _, _, kind, _ in snow.told()] == ["CREATED"]


def test_a_sandbox_keeps_its_hands_off_the_instances_of_the_provider(tmp_path):
    home = tmp_path / "home"
    with Snow(home) as snow:
        real = snow.create(**{"event.notification.callback.url": "http://127.0.0.1:9/real"})
        before = snow.app.instances.get(real)
    sandbox = ["run", "servicenowoauth", "--sandbox", "--once"]
    for _ in range(2):
        assert CliRunner().invoke(app, ["--home", str(home), *sandbox]).exit_code == 0
    refused = CliRunner().invoke(app, ["--home", str(home), *sandbox, "--name", "servicenowoauth"])
    assert refused.exit_code == 2
    assert "belongs to the real provider" in refused.stderr
    with Snow(home) as snow:
        assert snow.app.instances.get(real) == before
        assert [row.name for row in snow.app.instances.find()] == ["servicenowoauth", "servicenowoauth-sandbox"]


def test_a_recording_that_cannot_be_written(snow, connect, tmp_path):
    instance = str(snow.create())
    with pytest.raises(StoreError, match="the recording cannot be written"):
        connect("poll", instance, "--record", str(tmp_path))


def test_a_status_that_no_delivery_has(connect):
    with pytest.raises(ConfigurationError, match="'lost' is not a delivery status"):
        connect("deliveries", "list", "--status", "lost")


def test_a_new_store_is_its_owners_alone(tmp_path):
    tmp_path.chmod(0o755)
    with_store = tmp_path / "connectory.db"
    Database.open(f"sqlite:///{with_store}").close()
    assert with_store.stat().st_mode & 0o777 == 0o600
