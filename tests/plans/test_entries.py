"""The entries of an instance, and how often its plugins are asked for their resources."""

from __future__ import annotations

import pytest
from marshmallow import INCLUDE, Schema

from connectory import Element, Resource, hookimpl
from connectory.errors import ConfigurationError
from connectory.plans.entries import compile_plans, default_entries, entries_of
from connectory.plugins import Plugins
from connectory.schemas import POLLER_CONFIGURATION, PollerConfiguration


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE


SHOP = Element(key="shop", name="Shop", hub="shop", base_url="https://shop.test", config_schema=Configuration)
RESOURCES = [
    Resource(name=name, path=f"/{name}", poller={"url": f"/hubs/shop/{name}"}) for name in ("orders", "customers")
]
RESOURCES.append(Resource(name="rates", path="/rates"))


class Shop:
    def __init__(self):
        self.asked = 0

    @hookimpl
    def connect_register_elements(self):
        return [SHOP]

    @hookimpl
    def connect_list_resources(self, config):
        self.asked += 1
        return RESOURCES


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def plugins(shop):
    found = Plugins()
    found.register(shop, "shop")
    return found


def configured(**entries):
    return {POLLER_CONFIGURATION: PollerConfiguration().deserialize(entries)}


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({POLLER_CONFIGURATION: None}, ["orders", "customers"]),
        (configured(some={"url": "/hubs/shop/orders"}, more={"url": "/rates"}), ["some", "more"]),
        (configured(), []),
    ],
)
def test_the_plugins_are_asked_for_their_resources_once(plugins, shop, config, names):
    assert list(compile_plans(SHOP, config, plugins)) == names
    assert shop.asked == 1


def test_an_instance_without_entries_has_those_of_its_resources(plugins):
    resources = {resource.name: resource for resource in RESOURCES}
    found = entries_of(SHOP, {POLLER_CONFIGURATION: None}, resources)
    assert {name: entry.url for name, entry in found.items()} == {
        "orders": "/hubs/shop/orders",
        "customers": "/hubs/shop/customers",
    }


@pytest.mark.parametrize("name", ["rates", "leads"])
def test_a_resource_without_a_default_entry_is_named_with_those_that_have_one(name):
    resources = {resource.name: resource for resource in RESOURCES}
    with pytest.raises(ConfigurationError, match=f"unknown resource '{name}' .shop has orders, customers."):
        default_entries(SHOP, [name], resources)
