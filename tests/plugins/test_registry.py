"""Ownership, isolation and quarantine of plugins."""

from __future__ import annotations

import pytest
from owning import Extension, Owner, plugins

from connectory import NotFoundError, hookimpl


def test_hook_connect_register_elements():
    found = plugins(one=Owner("one"), two=Owner("two", "three"))
    assert [element.key for element in found.elements()] == ["one", "three", "two"]
    assert found.owner_of("three") == "two"


def test_a_plugin_without_guards_never_hijacks_another_element_nor_sees_its_configuration():
    one, two, extension = Owner("one"), Owner("two"), Extension()
    found = plugins(one=one, two=two, extension=extension)
    found.build_auth(found.element("one"), {"secret": "of one"}, None)
    found.list_resources(found.element("one"), {"secret": "of one"})
    assert one.asked == ["of one", "of one"]
    assert two.asked == []
    assert extension.asked == ["one"], "the owner answered build_auth, so only list_resources reached the extension"


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
