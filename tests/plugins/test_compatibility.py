"""Plugins written for other versions of the hooks are refused with the cure."""

from __future__ import annotations

import doctest
import json
import types

import pytest
from typer.testing import CliRunner

from connectory import hookimpl
from connectory.hookspecs import API_VERSION
from connectory.plugins import Plugins, compatibility


def registered(plugin: object):
    found = Plugins()
    return found, found.register(plugin, "old")


def test_a_plugin_of_this_version_works():
    info = registered(types.SimpleNamespace(connectory_api=API_VERSION))[1]
    assert (info.quarantined, info.api) == (None, API_VERSION)


def test_a_plugin_that_declares_nothing_works():
    info = registered(types.SimpleNamespace())[1]
    assert (info.quarantined, info.api) == (None, None)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (API_VERSION - 1, f"version {API_VERSION - 1} of the hooks, but this Connectory has version {API_VERSION}"),
        (API_VERSION - 1, "upgrade the plugin"),
        (API_VERSION + 1, "pip install --upgrade connectory"),
        ("2", "write connectory_api = 2"),
        (True, "write connectory_api = 2"),
    ],
)
def test_other_versions_are_quarantined_with_the_cure(declared, reason):
    found, info = registered(types.SimpleNamespace(connectory_api=declared))
    assert reason in info.quarantined
    assert found.infos() == [info]


def test_connect_plugins_shows_why_a_version_is_refused(monkeypatch):
    from connectory.cli.app import app

    found, info = registered(types.SimpleNamespace(connectory_api=API_VERSION - 1))
    monkeypatch.setattr(Plugins, "load", lambda only=None: found)
    [shown] = json.loads(CliRunner().invoke(app, ["plugins", "--json"]).stdout)
    assert shown["quarantined"] == info.quarantined
    assert "deprecations" not in shown


def test_an_unknown_hook_is_left_alone_if_it_is_marked_as_optional():
    class Serving:
        @hookimpl(optionalhook=True)
        def connect_something_of_version_9(self):
            return None

    assert registered(Serving())[1].quarantined is None


def test_a_misspelt_hook_is_named_with_the_one_that_was_meant():
    class Misspelt:
        @hookimpl
        def connect_biuld_auth(self):
            return None

    assert "did you mean connect_build_auth" in registered(Misspelt())[1].quarantined


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(compatibility).failed == 0


def test_plugins_are_told_once_when_the_engine_starts(tmp_path):
    from connectory.app import App
    from connectory.instances.parts import Parts
    from connectory.settings import Settings

    told = []

    class Told:
        @hookimpl
        def connect_engine_starting(self, app):
            told.append(app)

    plugins = Plugins()
    plugins.register(Told(), "told")
    with App(Parts(Settings.load(tmp_path, {}), plugins=plugins)) as app:
        app.run_once()
        app.run_once()
    assert told == [app]
