"""The fixtures that a plugin's tests find by themselves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import requests

from connectory.sandbox import Sandbox
from demo import Demo, entry


def establish(app, sandbox, address, **more) -> int:
    configuration = {
        **sandbox.configuration(address),
        "oauth.callback.url": "http://127.0.0.1:8723/callback",
        "event.notification.enabled": True,
        "event.poller.refresh_interval": 1,
        "event.poller.configuration": {"orders": entry(pageSize=2)},
    }
    draft = app.instances.prepare({"element": {"key": "demo"}, "configuration": configuration | more})
    flow = app.instances.flow(draft)
    return app.instances.establish(draft, flow.finish(sandbox.consent(flow.start().url))).id


@pytest.fixture
def opened(connectory_engine):
    app = connectory_engine(Demo())
    return app, app.elements.open_sandbox("demo")


def poll(app, clock) -> None:
    clock.advance(60)
    assert app.polls.run_due() == 1


@pytest.mark.parametrize("how", ["inside", "serve"])
def test_changes_arrive_signed(opened, connectory_sandbox, connectory_receiver, connectory_clock, how):
    app, sandbox = opened
    address = getattr(connectory_sandbox, how)(sandbox)
    establish(app, sandbox, address, **connectory_receiver.configuration)
    poll(app, connectory_clock)
    made = [sandbox.tables["orders"].insert({"name": str(number)})["id"] for number in range(3)]
    poll(app, connectory_clock)
    assert connectory_receiver.deliver(app) == len(connectory_receiver.received)
    told = [(event["eventType"], event["objectId"]) for event in connectory_receiver.events]
    assert sorted(told) == sorted(("CREATED", one) for one in made)


def test_a_forgery_fails_the_test(connectory_receiver):
    answer = requests.post(connectory_receiver.url, json={"message": {"events": []}}, timeout=5)
    assert answer.status_code == 401
    with pytest.raises(pytest.fail.Exception, match="is not verified"):
        connectory_receiver.check()
    connectory_receiver.expects_forgeries = True


def test_a_store_goes_on_in_another_engine(connectory_engine, connectory_sandbox, tmp_path):
    first = connectory_engine(Demo(), home=tmp_path / "store")
    sandbox = first.elements.open_sandbox("demo")
    number = establish(first, sandbox, connectory_sandbox.inside(sandbox))
    first.close()
    assert connectory_engine(Demo(), home=tmp_path / "store").instances.get(number).element.key == "demo"


def test_engines_reach_nothing_beyond_this_machine(connectory_engine):
    sessions = connectory_engine(Demo()).parts.sessions
    request = requests.Request("GET", "https://example.com/").prepare()
    with pytest.raises(requests.ConnectionError):
        sessions.send(request, (1, 1))


def test_a_sandbox_is_on_the_tests_clock(connectory_sandbox, connectory_clock):
    sandbox = Sandbox()
    connectory_sandbox.inside(sandbox)
    connectory_clock.advance(77)
    assert sandbox.clock.now() == connectory_clock.now()


@pytest.fixture
def recording(opened, connectory_sandbox, connectory_recorder, connectory_clock, tmp_path):
    """A poll of two pages."""
    app, sandbox = opened
    establish(app, sandbox, connectory_sandbox.inside(sandbox))
    poll(app, connectory_clock)
    for number in range(3):
        sandbox.tables["orders"].insert({"name": str(number), "note": "password: hunter22"})
    connectory_clock.advance(60)
    assert connectory_recorder.record(app, tmp_path / "poll.jsonl") == 1
    return tmp_path / "poll.jsonl"


def test_a_recording_replays_without_the_provider(connectory_recorder, recording):
    explanation = connectory_recorder.replay(recording, Demo())
    assert explanation.would_announce == {"CREATED": 3, "UPDATED": 0}
    assert len(explanation.pages) == 2


def test_a_recording_holds_no_secrets(recording):
    text = recording.read_text()
    assert "hunter22" not in text
    assert "tenant-secret-1" not in text
    assert "Bearer" not in text


def test_an_unread_page_fails(connectory_recorder, recording):
    from connectory import SinglePage

    single = Demo(paginator=SinglePage())
    with pytest.raises(pytest.fail.Exception, match=r"(?s)recording.*cure: "):
        connectory_recorder.replay(recording, single)


def test_an_unrecorded_page_fails(connectory_recorder, recording):
    lines = recording.read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["poll", "exchange", "exchange", "end"]
    end = json.loads(lines[-1]) | {"exchanges": 1}
    recording.write_text("\n".join([*lines[:2], json.dumps(end)]) + "\n")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)ends before that.*cure: "):
        connectory_recorder.replay(recording, Demo())


def test_a_plugin_that_cannot_be_used_is_named(connectory_engine):
    import spoilt

    with pytest.raises(pytest.fail.Exception, match="connect_make_coffee"):
        connectory_engine(*spoilt.unknown_hook())


# What it costs those who do not use it


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_it_is_light():
    heavy = [
        "connectory.app",
        "connectory.polling",
        "connectory.deletions",
        "connectory.instances",
        "connectory.records",
        "connectory.plans",
        "sqlalchemy",
        "marshmallow",
        "requests",
        "werkzeug",
        "alembic",
    ]
    code = f"import sys, pytest, connectory.testing.pytest_plugin; print([m for m in {heavy} if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_the_kit_can_be_imported_without_pytest():
    code = """
import sys
sys.modules["pytest"] = None
import connectory.testing, connectory.sandbox
try:
    connectory.testing.ElementContract
except ImportError as error:
    print(error)
"""
    assert "pip install" in run(code)


def test_pytest_finds_it(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("connectory")


def test_no_other_name_is_exported():
    import connectory.testing

    with pytest.raises(AttributeError, match="no attribute 'Contract'"):
        connectory.testing.Contract  # noqa: B018
