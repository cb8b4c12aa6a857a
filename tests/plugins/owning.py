"""Plugins that own an element, and plugins that extend all."""

from __future__ import annotations

from marshmallow import Schema

from connectory import Element, Resource, hookimpl
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
