"""Registers plugins, and keeps them apart.

Ownership: a plugin that registers elements owns them and is asked about nothing else. Isolation: a plugin that cannot
be imported, implements an unknown hook, or registers an element that another plugin owns is quarantined with the
reason; the others work.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pluggy

from .. import hints, hookspecs
from ..errors import NotFoundError, PluginError
from ..model import Element
from . import builtin, compatibility
from .discovery import CHOICE_VARIABLE, describe_error

if TYPE_CHECKING:
    from .discovery import Found
    from .info import PluginInfo

_BUILTIN = "connectory"

log = logging.getLogger(__name__)


class Registry:
    """The registered plugins and the elements that they own. Nothing outside this package touches pluggy."""

    def __init__(self) -> None:
        self._pm = pluggy.PluginManager("connectory")
        self._pm.add_hookspecs(hookspecs)
        self._pm.register(builtin, _BUILTIN)
        self._infos: dict[str, PluginInfo] = {}
        self._elements: dict[str, Element] = {}
        self._owners: dict[str, object] = {}
        self._callers: dict[tuple[str, str], pluggy.HookCaller] = {}

    # Registering

    def register(self, found: Found) -> None:
        """Add one plugin, or quarantine it."""
        info, plugin = found.info, found.plugin
        if found.broken is not None:
            self._quarantine(info, found.broken)
            return
        if self._pm.has_plugin(info.name) or info.name in self._infos:
            self._quarantine(info, f"another plugin is called {info.name!r} too")
            return
        try:
            api = compatibility.check_version(plugin)
            hooks = self._hook_in(plugin, info.name)
            elements = self._checked_elements(plugin) if "connect_register_elements" in hooks else {}
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and must break only itself
            if self._pm.is_registered(plugin):
                self._pm.unregister(plugin)
            self._quarantine(info, describe_error(error))
            return
        self._take(plugin, elements)
        self._infos[info.name] = replace(info, hooks=tuple(sorted(hooks)), elements=tuple(elements), api=api)

    def _hook_in(self, plugin: object, name: str) -> set[str]:
        """Register the plugin with pluggy, and return the names of the hooks that it implements."""
        self._pm.register(plugin, name)
        callers = self._pm.get_hookcallers(plugin) or []
        compatibility.check_known(plugin, callers)
        return {caller.name for caller in callers}

    def _take(self, plugin: object, elements: dict[str, Element]) -> None:
        if not elements:
            self._put_owners_first()
        self._callers.clear()
        self._elements |= elements
        self._owners |= dict.fromkeys(elements, plugin)

    def _put_owners_first(self) -> None:
        """Register the owners again, because pluggy asks the plugin first that was registered last."""
        for owner in {id(owner): owner for owner in self._owners.values()}.values():
            name = self._pm.get_name(owner)
            self._pm.unregister(owner)
            self._pm.register(owner, name)

    def _checked_elements(self, plugin: object) -> dict[str, Element]:
        others = [other for other in self._pm.get_plugins() if other is not plugin]
        answer = self._pm.subset_hook_caller("connect_register_elements", others)()
        elements: dict[str, Element] = {}
        for element in (element for elements in answer for element in elements):
            if not isinstance(element, Element):
                raise PluginError(f"connect_register_elements returned {element!r}, which is not an Element")
            if element.key in elements:
                raise PluginError(f"it registers the element {element.key!r} twice")
            if element.key in self._elements:
                owner = self.owner_of(element.key)
                raise PluginError(
                    f"it registers the element {element.key!r}, which the plugin {owner!r} provides",
                    hint=f"uninstall one of the two, or choose the plugins to use with {CHOICE_VARIABLE}",
                )
            elements[element.key] = element
        return elements

    def _quarantine(self, info: PluginInfo, reason: str) -> None:
        log.warning("plugin %s is quarantined: %s", info.name, reason)
        # Of two plugins with the same name, the one that works keeps it.
        name = info.name if info.name not in self._infos else f"{info.name} ({info.distribution or 'second'})"
        self._infos[name] = replace(info, quarantined=reason)

    # What is registered

    def info(self, name: str) -> PluginInfo:
        return self._infos[name]

    def infos(self) -> list[PluginInfo]:
        return sorted(self._infos.values(), key=lambda info: (info.name, info.quarantined is not None))

    def elements(self) -> list[Element]:
        return sorted(self._elements.values(), key=lambda element: element.key)

    def element(self, key: str) -> Element:
        try:
            return self._elements[key]
        except KeyError:
            raise self._no_such_element(key) from None

    def owner_of(self, key: str) -> str:
        """The name of the plugin that provides an element."""
        return self._pm.get_name(self._owners[key]) or "?"

    def _no_such_element(self, key: str) -> NotFoundError:
        installed = ", ".join(sorted(self._elements)) or "none"
        broken = [info for info in self._infos.values() if info.quarantined]
        hint = hints.INSTALL_ELEMENT
        if broken:
            hint += f"; quarantined: {', '.join(info.name for info in broken)}"
        return NotFoundError(f"element not installed: {key!r} (installed: {installed})", hint=hint)

    # Who is asked

    def caller(self, hook: str, element: Element | None) -> pluggy.HookCaller:
        """The hook of all plugins; for an element, without the plugins that own only other elements."""
        if element is None:
            found: pluggy.HookCaller = getattr(self._pm.hook, hook)
            return found
        key = (hook, element.key)
        if key not in self._callers:
            owner = self._owners[element.key]
            strangers = {id(plugin): plugin for plugin in self._owners.values() if plugin is not owner}
            self._callers[key] = self._pm.subset_hook_caller(hook, strangers.values())
        return self._callers[key]
