"""`app.elements`: what can be connected, as the plugins say it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import typer

from connectory import hookimpl
from connectory.app import Elements, as_json
from connectory.errors import ConfigurationError, NotFoundError
from connectory.plugins import Plugins
from toy import Toy, ToyPlugin


@pytest.fixture
def elements(snow):
    return snow.app.elements


@pytest.fixture
def toy(tmp_path):
    with Toy(tmp_path) as opened:
        yield opened


def test_the_elements_are_found_by_key(elements):
    (found,) = elements.find()
    assert as_json(found) == {
        "key": "servicenowoauth",
        "name": found.name,
        "hub": "helpdesk",
        "plugin": "servicenowoauth",
    }


def test_one_is_shown_with_its_keys_and_resources(elements):
    shown = elements.get("servicenowoauth")
    keys = {one.key: one for one in shown.configuration}
    assert keys["oauth.api.secret"].secret
    assert keys["servicenow.subdomain"].required
    assert (keys["event.poller.refresh_interval"].default, keys["event.poller.refresh_interval"].required) == (
        15,
        False,
    )
    order = [one.required for one in shown.configuration]
    assert order == sorted(order, reverse=True)
    assert {"incidents", "accounts"} <= {one.name for one in shown.resources}
    assert shown.uses_oauth
    assert "usesOauth" not in as_json(shown)


def test_one_that_no_plugin_provides_is_not_found(elements):
    for call in (elements.get, elements.open_sandbox, lambda key: elements.pollers(key, {})):
        with pytest.raises(NotFoundError, match="sapphire"):
            call("sapphire")


def test_the_pollers_are_those_of_a_configuration(elements):
    found = elements.pollers("servicenowoauth", {"servicenow.subdomain": "acme"})
    assert found["incidents"]["idField"] == "sys_id"


def test_only_the_named_plugins_are_loaded():
    assert {one.key for one in Elements.load(["sageone"]).find()} == {"sageone"}


def test_a_plugin_that_cannot_be_used_is_listed_with_its_reason(toy):
    toy.plugins.register(ToyPlugin(), "again")
    found = {one.name: one.quarantined for one in toy.app.elements.plugins()}
    assert found["toy"] is None
    assert "which the plugin 'toy' provides" in found["again"]


def test_plugins_add_their_commands(toy):
    class Adding:
        @hookimpl
        def connect_add_commands(self, cli):
            cli.command("greet")(lambda: None)

    toy.plugins.register(Adding(), "adding")
    cli = typer.Typer()
    toy.app.elements.add_commands(cli)
    assert [one.name for one in cli.registered_commands] == ["greet"]
    assert isinstance(toy.app.elements.hooks, Plugins)


def test_a_sandbox_has_the_faults_that_were_asked_for(elements):
    from werkzeug.test import Client

    sandbox = elements.open_sandbox("servicenowoauth", ["bad_gateway"])
    assert Client(sandbox).get("/api/now/table/incident").status_code == 502


def test_a_fault_that_there_is_not_is_refused(elements):
    with pytest.raises(ConfigurationError, match="'earthquake'") as refused:
        elements.open_sandbox("servicenowoauth", ["earthquake"])
    assert refused.value.where == "faults"


def test_an_element_without_a_sandbox_says_so(toy):
    with pytest.raises(ConfigurationError, match="toy has no sandbox"):
        toy.app.elements.open_sandbox("toy")


def test_a_sandbox_without_faults_says_so(toy):
    class Bare(ToyPlugin):
        @hookimpl
        def connect_open_sandbox(self, element):
            return lambda environ, start_response: []

    plugins = Plugins()
    plugins.register(Bare(), "bare")
    with pytest.raises(ConfigurationError, match="has no faults to switch on"):
        Elements(plugins).open_sandbox("toy", ["slow"])


def test_a_recorded_poll_is_explained_without_a_store(snow, tmp_path):
    instance = snow.create()
    snow.clock.advance(30)
    snow.sandbox.insert("incident", {})
    snow.clock.advance(timedelta(minutes=1))
    assert snow.app.polls.record(tmp_path / "poll.jsonl", instances=[instance]) == 1
    found = Elements.load(["servicenowoauth"]).replay(tmp_path / "poll.jsonl")
    assert (found.resource, found.would_announce) == ("incidents", {"CREATED": 1, "UPDATED": 0})
    with pytest.raises(ConfigurationError, match="no poll of agents"):
        snow.app.elements.replay(tmp_path / "poll.jsonl", "agents")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        snow.app.elements.replay(tmp_path / "nothing.jsonl")
