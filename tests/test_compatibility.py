"""Plugins written for other versions of the hooks: served and told, or refused with the cure."""

from __future__ import annotations

import doctest
import logging
import types

import pytest

from connectory import hookimpl, hookspecs
from connectory.hookspecs import API_VERSION, OLDEST_API_VERSION
from connectory.plugins import Plugins, compatibility


def registered(plugin: object):
    found = Plugins()
    return found, found.register(plugin, "old")


def of_version_1(told: list[str]) -> types.ModuleType:
    """A plugin as it was written for version 1."""
    module = types.ModuleType("written_for_version_1")
    module.connectory_api = 1

    @hookimpl
    def connect_startup(app):
        told.append(f"started {app}")

    module.connect_startup = connect_startup
    return module


def test_a_plugin_of_the_version_before_keeps_working_and_is_told(caplog):
    told = []
    with caplog.at_level(logging.WARNING):
        found, info = registered(of_version_1(told))
    assert info.quarantined is None
    assert info.api == 1
    assert [text for text in info.deprecations if "connect_engine_starting" in text and "rename" in text]
    assert "plugin old: connect_startup is called connect_engine_starting now" in caplog.text
    found.engine_starting("the engine")
    assert told == ["started the engine"]


def test_a_plugin_with_both_names_is_told_once_and_not_warned():
    told = []
    module = of_version_1(told)

    @hookimpl
    def connect_engine_starting(app):
        told.append("by the new name")

    module.connect_engine_starting = connect_engine_starting
    found, info = registered(module)
    assert info.deprecations == ()
    found.engine_starting("the engine")
    assert told == ["by the new name"]


def test_a_hook_of_another_version_is_left_alone_where_it_is_marked_so():
    class Serving:
        @hookimpl(optionalhook=True)
        def connect_something_of_version_9(self):
            return None

    assert registered(Serving())[1].quarantined is None


def test_an_argument_that_will_go_away_is_told_too(monkeypatch):
    import pluggy

    specs = types.ModuleType("specs")

    @pluggy.HookspecMarker("connectory")(warn_on_impl_args={"old": DeprecationWarning("old is called new now")})
    def connect_demo(old, new):
        """A hook in the middle of a rename."""

    class Uses:
        @hookimpl
        def connect_demo(self, old):
            return old

    specs.connect_demo = connect_demo
    manager = pluggy.PluginManager("connectory")
    manager.add_hookspecs(specs)
    plugin = Uses()
    with pytest.warns(DeprecationWarning, match="old is called new"):
        manager.register(plugin)
    assert compatibility.deprecations(plugin, manager.get_hookcallers(plugin)) == ("old is called new now",)


@pytest.mark.parametrize("version", [OLDEST_API_VERSION, API_VERSION])
def test_this_version_and_the_one_before_are_taken(version):
    assert registered(types.SimpleNamespace(connectory_api=version))[1].quarantined is None


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (OLDEST_API_VERSION - 1, "upgrade the plugin"),
        (API_VERSION + 1, "pip install --upgrade connectory"),
        ("2", "write connectory_api = 2"),
        (True, "write connectory_api = 2"),
    ],
)
def test_other_versions_are_refused_with_the_cure(declared, reason):
    found, info = registered(types.SimpleNamespace(connectory_api=declared))
    assert reason in info.quarantined
    assert found.infos() == [info]


def test_a_misspelt_hook_is_named_with_the_one_that_was_meant():
    class Misspelt:
        @hookimpl
        def connect_biuld_auth(self):
            return None

    assert "did you mean connect_build_auth" in registered(Misspelt())[1].quarantined


def test_the_versions_are_this_one_and_the_one_before():
    assert OLDEST_API_VERSION == API_VERSION - 1
    assert set(hookspecs.RENAMED) | set(hookspecs.RENAMED.values()) <= set(compatibility.hook_names())


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(compatibility).failed == 0


def test_plugins_are_told_when_the_engine_starts(tmp_path):
    from connectory.app import App
    from connectory.instances.parts import Parts
    from connectory.settings import Settings

    told = []
    plugins = Plugins()
    plugins.register(of_version_1(told), "old")
    with App(Parts(Settings.load(tmp_path, {}), plugins=plugins)) as app:
        app.run_once()
        app.run_once()
    assert told == [f"started {app}"]


def test_connect_plugins_shows_what_will_go_away(monkeypatch):
    import json

    from typer.testing import CliRunner

    from connectory.cli.app import app

    found, _ = registered(of_version_1([]))
    monkeypatch.setattr(Plugins, "load", lambda only=None: found)
    text = CliRunner().invoke(app, ["plugins"]).stdout
    assert "old: connect_startup is called connect_engine_starting now: rename it" in text
    [shown] = json.loads(CliRunner().invoke(app, ["plugins", "--json"]).stdout)
    assert (shown["api"], len(shown["deprecations"])) == (1, 1)
