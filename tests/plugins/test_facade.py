"""Each hook: who is asked, in which order, and what is made of the answers."""

from __future__ import annotations

import logging
import types

import pytest
from owning import Extension, Owner, plugins

from connectory import PluginError, Resource, hookimpl
from connectory.model import Window


def test_hook_connect_build_auth_is_answered_by_the_owner_whatever_the_order():
    for names in (("one", "two"), ("two", "one")):
        found = plugins(**{name: Owner(name) for name in names})
        for name in names:
            assert found.build_auth(found.element(name), {"secret": name}, None) == name


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


def test_a_plugin_that_breaks_while_it_is_asked_is_named():
    class Breaking(Owner):
        @hookimpl
        def connect_list_resources(self, element, config, client):
            raise RuntimeError("no such table")

    found = plugins(bad=Breaking("bad"))
    with pytest.raises(PluginError, match=r"connect_list_resources failed.*RuntimeError: no such table.*plugin 'bad'"):
        found.list_resources(found.element("bad"), {"secret": ""})
