"""Finding and importing the installed plugins."""

from __future__ import annotations

import importlib.metadata
import types

import pytest
from owning import Extension, Owner

from connectory import hookimpl
from connectory.plugins import Plugins


class FakeEntryPoint:
    module = "fake"

    def __init__(self, name, load):
        self.name = name
        self.load = load
        self.dist = types.SimpleNamespace(name=f"dist-{name}", version="1.2")


def raise_(error: BaseException):
    raise error


@pytest.fixture
def installed(monkeypatch):
    def install(*entries):
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries)

    return install


def test_a_plugin_that_fails_to_import_breaks_nothing_but_itself(installed):
    installed(
        FakeEntryPoint("broken", lambda: raise_(ImportError("no module named 'left_pad'"))),
        FakeEntryPoint("one", lambda: Owner("one")),
    )
    found = Plugins.load()
    infos = {info.name: info for info in found.infos()}
    assert infos["broken"].quarantined == "its import failed: ImportError: no module named 'left_pad'"
    assert (infos["one"].distribution, infos["one"].version) == ("dist-one", "1.2")
    assert found.element("one").key == "one"


def test_connectory_plugins_chooses(installed, monkeypatch):
    installed(FakeEntryPoint("one", lambda: Owner("one")), FakeEntryPoint("two", lambda: Owner("two")))
    monkeypatch.setenv("CONNECTORY_PLUGINS", "two, three")
    found = Plugins.load()
    assert [element.key for element in found.elements()] == ["two"]
    assert {info.name: info.quarantined for info in found.infos()}["three"].startswith("CONNECTORY_PLUGINS names this")
    monkeypatch.setenv("CONNECTORY_PLUGINS", "")
    assert Plugins.load().elements() == []


def test_two_plugins_of_one_name(installed):
    installed(FakeEntryPoint("one", lambda: Owner("one")), FakeEntryPoint("one", lambda: Owner("two")))
    found = Plugins.load()
    assert [element.key for element in found.elements()] == ["one"]
    assert any("another plugin is called 'one' too" in (info.quarantined or "") for info in found.infos())


def test_owners_are_asked_before_plugins_that_own_nothing_whatever_the_entry_points_order(installed):
    class Overriding(Extension):
        @hookimpl
        def connect_build_auth(self, element, config, tokens):
            return "the extension"

    installed(FakeEntryPoint("a", lambda: Owner("one")), FakeEntryPoint("b", Overriding))
    found = Plugins.load()
    assert found.build_auth(found.element("one"), {"secret": ""}, None) == "one"
