"""Which plugin answered which hook with what."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from marshmallow import Schema
from typer.testing import CliRunner

from connectory import ApiKeyAuth, Element, PluginError, Resource, Secret, hookimpl
from connectory.authoring.trace import trace
from connectory.cli.app import app
from connectory.plugins import Plugins

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
POLLER = {
    "url": "/hubs/h/orders?where=changed='${gmtDate:yyyy-MM-dd HH:mm}'",
    "idField": "id",
    "datesConfiguration": {"updatedDateField": "changed", "updatedDateFormat": "yyyy-MM-dd HH:mm"},
}
SECRET = "s3cr3t-key-of-demo"


class Demo:
    @hookimpl
    def connect_register_elements(self):
        return [Element(key="demo", name="Demo", hub="h", base_url="https://d.example", config_schema=Schema)]

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return ApiKeyAuth(Secret(SECRET), header="X-Api-Key")

    @hookimpl
    def connect_list_resources(self, element, config, client):
        return [Resource(name="orders", path="/orders", poller=POLLER), Resource(name="codes", path="/codes")]


class Extension:
    """Owns nothing, is asked about all, and knows little."""

    @hookimpl
    def connect_list_resources(self, element, config, client):
        return [Resource(name="extra", path="/extra")]

    @hookimpl
    def connect_translate_query(self, element, resource, query):
        return None


def registered(*more):
    plugins = Plugins()
    for plugin in (Demo(), *more):
        plugins.register(plugin, type(plugin).__name__.lower())
    return plugins


def calls_of(found):
    return {call.hook: call for call in found.calls}


def test_who_was_asked_and_who_answered():
    found = trace(registered(Extension()), "demo", NOW)
    calls = calls_of(found)
    assert (found.resource, found.ended) == ("orders", None)
    assert (calls["connect_open_sandbox"].asked, calls["connect_open_sandbox"].answered) == ((), ())
    assert calls["connect_build_auth"].asked == ("demo",)
    listed = next(call for call in found.calls if call.hook == "connect_list_resources")
    assert (listed.asked, listed.answered) == (("demo", "extension"), ("demo", "extension"))
    assert listed.answer == "[orders, codes, extra]"
    translated = calls["connect_translate_query"]
    assert (translated.asked, translated.answered) == (("extension", "connectory"), ("connectory",))
    assert translated.answer == "(('changed', '2026-03-04 15:14'),)"
    assert calls["connect_render_template"].answered == ("connectory",)
    assert calls["connect_date_format"].seconds >= 0


def test_secrets_are_masked():
    class Careless(Demo):
        @hookimpl
        def connect_open_sandbox(self, element):
            ApiKeyAuth(SECRET, header="X-Api-Key")
            return f"a sandbox with the key {SECRET}"

    plugins = Plugins()
    plugins.register(Careless(), "careless")
    found = trace(plugins, "demo", NOW)
    assert found.calls
    assert not [call for call in found.calls if SECRET in call.describe() or SECRET in call.answer]
    assert "********" in calls_of(found)["connect_open_sandbox"].answer


def test_a_plugin_that_fails_is_shown_and_ends_the_questions():
    class Broken(Demo):
        @hookimpl
        def connect_build_auth(self, element, config, tokens):
            raise KeyError("demo.key")

    plugins = Plugins()
    plugins.register(Broken(), "broken")
    found = trace(plugins, "demo", NOW)
    assert isinstance(found.ended, PluginError)
    assert [call.error for call in found.calls] == [None, "KeyError: 'demo.key'"]


def test_a_wrapper_is_named():
    class Wrapping:
        @hookimpl(wrapper=True)
        def connect_list_resources(self, element, config, client):
            return (yield)

    found = trace(registered(Wrapping()), "demo", NOW)
    listed = next(call for call in found.calls if call.hook == "connect_list_resources")
    assert (listed.asked, listed.answered, listed.wrappers) == (("demo",), (), ("wrapping",))
    assert listed.answer == "[orders, codes]"


def test_watched_or_not_the_answers_are_the_same():
    plugins = registered(Extension())
    element = plugins.element("demo")
    plain = list(plugins.list_resources(element, {}))
    with plugins.watched() as calls:
        assert list(plugins.list_resources(element, {})) == plain
    plugins.list_resources(element, {})
    assert len(calls) == 1


def test_the_log_says_it_at_its_highest_level(caplog):
    plugins = registered()
    with caplog.at_level(logging.INFO, logger="connectory.hooks"):
        plugins.list_resources(plugins.element("demo"), {})
    assert caplog.text == ""
    with caplog.at_level(logging.DEBUG, logger="connectory.hooks"):
        plugins.list_resources(plugins.element("demo"), {})
    assert "connect_list_resources of demo" in caplog.text
    assert "answered by demo: [orders, codes]" in caplog.text


def run(*arguments, code=0):
    done = CliRunner().invoke(app, ["plugins", *arguments])
    assert done.exit_code == code, done.output
    return done


def test_at_the_command_line():
    shown = json.loads(run("--trace", "servicenowoauth", "--resource", "incidents", "--json").stdout)
    assert shown["resource"] == "incidents"
    by_hook = {call["hook"]: call for call in shown["calls"]}
    assert by_hook["connect_translate_query"]["answered"] == ["servicenowoauth"]
    assert by_hook["connect_render_template"]["answered"] == ["connectory"]
    assert "sys_updated_on" in by_hook["connect_translate_query"]["answer"]
    text = run("--trace", "sageone").stdout
    assert "connect_open_sandbox" in text
    assert "These calls belong to a poll of customers. Use --resource to trace another resource." in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trace", "nobody"], "element not installed: 'nobody'"),
        (["--trace", "sageone", "--resource", "companies"], "does not poll 'companies'"),
        (["--resource", "customers"], "this option needs --trace ELEMENT"),
    ],
)
def test_bad_input(arguments, said):
    assert said in run(*arguments, code=2).stderr
