"""Registers the plugin under test as its entry point would, finds its element, and opens its sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ... import hints
from ...errors import ConnectoryError
from ...plugins import Plugins
from ...sandbox.protocol import ProviderSandbox
from ...schemas import load_configuration
from .failing import broken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model import Element
    from .testclass import Contract

HOST = "127.0.0.1:8099"
BASE_URL = f"http://{HOST}"

NO_RESOURCE = "(none)"
"""The name used if no resource of the element can be polled; each check of a resource then fails and says so."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    plugins: Plugins
    element: Element
    sandbox: ProviderSandbox


def load(contract: Contract) -> Loaded:
    plugins = Plugins()
    register(plugins, contract)
    element = find_element(plugins, contract.element)
    return Loaded(plugins=plugins, element=element, sandbox=open_sandbox(contract, plugins, element))


def objects_of(contract: Contract) -> Sequence[object]:
    plugin = contract.plugin
    if plugin is None:
        broken("the test class names no plugin", "set `plugin` to the module with the hookimpls")
    return plugin if isinstance(plugin, tuple) else (plugin,)


def register(plugins: Plugins, contract: Contract) -> None:
    for number, plugin in enumerate(objects_of(contract), 1):
        info = plugins.register(plugin, f"{contract.element or 'plugin'} {number}")
        if info.quarantined is not None:
            broken(f"the plugin cannot be used: {info.quarantined}", hints.MEND_PLUGIN)
        if not info.hooks:
            broken(
                f"{plugin!r} implements no hook",
                "set `plugin` to the module that the entry point names, and mark its functions with @hookimpl",
            )


def find_element(plugins: Plugins, key: str) -> Element:
    try:
        return plugins.element(key)
    except ConnectoryError:
        known = ", ".join(element.key for element in plugins.elements()) or "none"
        broken(
            f"the plugin registers no element {key!r}; it registers {known}",
            "return it from connect_register_elements, or correct `element` in the test class",
        )


def open_sandbox(contract: Contract, plugins: Plugins, element: Element) -> ProviderSandbox:
    sandbox: Any = contract.open_sandbox(plugins, element)
    if sandbox is None:
        broken(
            "the element has no sandbox, so it cannot be checked",
            "return a connectory.sandbox.Sandbox from connect_open_sandbox",
        )
    if not isinstance(sandbox, ProviderSandbox):
        broken(
            f"the sandbox {sandbox!r} is not a WSGI application with a method configuration(base_url)",
            "build it on connectory.sandbox.Sandbox",
        )
    return sandbox


def resource_names(contract: Contract) -> list[str]:
    """The resources to check: those of the test class, or all that can be polled."""
    if contract.resources:
        return list(contract.resources)
    loaded = load(contract)
    given = {**loaded.sandbox.configuration(BASE_URL), **contract.configuration}
    config = load_configuration(loaded.element, given)
    resources = loaded.plugins.list_resources(loaded.element, config)
    return [name for name, resource in resources.items() if resource.poller is not None]
