"""Ownership, isolation and quarantine of plugins."""

from __future__ import annotations

import importlib.metadata
import logging
import types

import pytest
from marshmallow import Schema

from connectory import Element, NotFoundError, PluginError, Resource, hookimpl
from connectory.model import Window
from connectory.plugins import Plugins


def element(key: str) -> Element:
    return Element(key=key, name=key.title(), hub="general", base_url="https://example.test", config_schema=Schema)


class Owner:
    """A plugin without a single guard: it answers whatever it is asked."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self.asked: list[str] = []

    @hookimpl
    def connect_register_elements(self):
        return [element(key) for key in self.keys]

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        self.asked.append(config["secret"])
        return self.keys[0]

    @hookimpl
    def connect_list_resources(self, element, config, client):
        self.asked.append(config["secret"])
        return [Resource(name=f"{self.keys[0]}-things", path="/things")]


class Extension:
    """A plugin that owns no element: it is asked about all."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        self.asked.append(element.key)

    @hookimpl
    def connect_list_resources(self, element, config, client):
        self.asked.append(element.key)
        return [Resource(name="extra", path="/extra")]


def plugins(**objects: object) -> Plugins:
    found = Plugins()
    for name, plugin in objects.items():
        found.register(plugin, name)
    return found


def test_hook_connect_register_elements():
    found = plugins(one=Owner("one"), two=Owner("two", "three"))
    assert [element.key for element in found.elements()] == ["one", "three", "two"]
    assert found.owner_of("three") == "two"


def test_hook_connect_build_auth_is_answered_by_the_owner_whatever_the_order():
    for names in (("one", "two"), ("two", "one")):
        found = plugins(**{name: Owner(name) for name in names})
        for name in names:
            assert found.build_auth(found.element(name), {"secret": name}, None) == name


def test_a_plugin_without_guards_never_hijacks_another_element_nor_sees_its_configuration():
    one, two, extension = Owner("one"), Owner("two"), Extension()
    found = plugins(one=one, two=two, extension=extension)
    found.build_auth(found.element("one"), {"secret": "of one"}, None)
    found.list_resources(found.element("one"), {"secret": "of one"})
    assert one.asked == ["of one", "of one"]
    assert two.asked == []
    assert extension.asked == ["one"], "the owner answered build_auth, so only list_resources reached the extension"


def test_hook_connect_list_resources_joins_the_owner_first():
    found = plugins(extension=Extension(), one=Owner("one"))
    assert list(found.list_resources(found.element("one"), {"secret": ""})) == ["one-things", "extra"]


def test_hook_connect_render_template_has_a_default():
    from datetime import UTC, datetime

    found = plugins(one=Owner("one"))
    start = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)
    rendered = found.render_template(
        found.element("one"),
        Resource(name="things", path="/things"),
        "/hubs/general/things?where=u>'${gmtDate:yyyy-MM-dd HH:mm:ss}'",
        Window(start=start, end=start),
    )
    assert rendered.text == "/hubs/general/things?where=u>'2026-01-01 12:00:09'", "one unit earlier, for a strict `>`"


def test_hook_connect_date_format_has_a_default():
    found = plugins(one=Owner("one"))
    assert found.date_format(found.element("one"), "yyyy-MM-dd", None).parse("2026-01-02").day == 2


def test_hook_connect_translate_query_has_a_default():
    from connectory import Query, parse_ceql

    found = plugins(one=Owner("one"))
    query = Query(expression=parse_ceql("name='x' and size = 2"), params=(("raw", "1"),), page_size=10)
    params = found.translate_query(found.element("one"), Resource(name="things", path="/things"), query)
    assert params == (("raw", "1"), ("name", "x"), ("size", "2"))


def test_hook_connect_open_sandbox_is_optional():
    found = plugins(one=Owner("one"))
    assert found.open_sandbox(found.element("one")) is None


@pytest.mark.parametrize("notice", ["connect_add_commands", "connect_engine_starting"])
def test_a_failing_notice_is_logged_by_name_and_the_others_are_told(notice, caplog):
    told = []

    def notify(*, fail: bool) -> types.SimpleNamespace:
        def tell():
            told.append(fail)
            if fail:
                raise RuntimeError("broken")

        body = {"connect_add_commands": lambda cli: tell(), "connect_engine_starting": lambda app: tell()}
        return types.SimpleNamespace(**{notice: hookimpl(body[notice])})

    found = plugins(first=notify(fail=False), broken=notify(fail=True), last=notify(fail=False))
    with caplog.at_level(logging.ERROR):
        getattr(found, notice.removeprefix("connect_"))(None)
    assert sorted(told) == [False, False, True]
    assert f"plugin broken failed in {notice}" in caplog.text


def test_hook_connect_poll_finished_and_connect_delivery_finished_reach_the_owner_only():
    seen = []

    class Watcher(Owner):
        @hookimpl
        def connect_poll_finished(self, instance, resource, summary):
            seen.append((self.keys[0], summary["records"]))

        @hookimpl
        def connect_delivery_finished(self, notification, attempt):
            seen.append((self.keys[0], attempt["status"]))

    found = plugins(one=Watcher("one"), two=Watcher("two"))
    found.poll_finished(found.element("one"), None, Resource(name="r", path="/"), {"records": 3})
    found.delivery_finished(found.element("two"), {}, {"status": 200})
    assert seen == [("one", 3), ("two", 200)]


def test_a_key_registered_twice_quarantines_the_second_and_names_both():
    found = plugins(first=Owner("same"), second=Owner("same"))
    info = {info.name: info for info in found.infos()}["second"]
    assert "'same'" in info.quarantined
    assert "'first'" in info.quarantined
    assert found.owner_of("same") == "first"


def test_an_unknown_hook_quarantines_its_plugin():
    class Misspelt(Owner):
        @hookimpl
        def connect_biuld_auth(self):
            return None

    found = plugins(broken=Misspelt("x"), one=Owner("one"))
    infos = {info.name: info for info in found.infos()}
    assert "connect_biuld_auth" in infos["broken"].quarantined
    assert infos["one"].quarantined is None
    with pytest.raises(NotFoundError, match=r"element not installed: 'x'.*quarantined: broken"):
        found.element("x")


def test_a_hook_with_an_unknown_argument_quarantines_its_plugin():
    class Wrong:
        @hookimpl
        def connect_engine_starting(self, no_such_argument):
            return None

    assert "no_such_argument" in plugins(wrong=Wrong()).infos()[-1].quarantined


def test_a_plugin_that_breaks_while_it_is_asked_is_named():
    class Breaking(Owner):
        @hookimpl
        def connect_list_resources(self, element, config, client):
            raise RuntimeError("no such table")

    found = plugins(bad=Breaking("bad"))
    with pytest.raises(PluginError, match=r"connect_list_resources failed.*RuntimeError: no such table.*plugin 'bad'"):
        found.list_resources(found.element("bad"), {"secret": ""})


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


def test_owners_are_asked_before_plugins_that_own_nothing_whatever_the_entry_points_order(installed):
    class Overriding(Extension):
        @hookimpl
        def connect_build_auth(self, element, config, tokens):
            return "the extension"

    installed(FakeEntryPoint("a", lambda: Owner("one")), FakeEntryPoint("b", Overriding))
    found = Plugins.load()
    assert found.build_auth(found.element("one"), {"secret": ""}, None) == "one"


def test_connectory_plugins_chooses(installed, monkeypatch):
    installed(FakeEntryPoint("one", lambda: Owner("one")), FakeEntryPoint("two", lambda: Owner("two")))
    monkeypatch.setenv("CONNECTORY_PLUGINS", "two, three")
    found = Plugins.load()
    assert [element.key for element in found.elements()] == ["two"]
    assert {info.name: info.quarantined for info in found.infos()}["three"].startswith("CONNECTORY_PLUGINS names it")
    monkeypatch.setenv("CONNECTORY_PLUGINS", "")
    assert Plugins.load().elements() == []


def test_two_plugins_of_one_name(installed):
    installed(FakeEntryPoint("one", lambda: Owner("one")), FakeEntryPoint("one", lambda: Owner("two")))
    found = Plugins.load()
    assert [element.key for element in found.elements()] == ["one"]
    assert any("another plugin is called 'one' too" in (info.quarantined or "") for info in found.infos())
