"""Finds plugins, keeps them apart, and asks them: one typed method per hook. Nobody else touches pluggy's relay.

Ownership: a plugin that registers elements owns them and is asked about nothing else. Isolation: a plugin that fails
to import, implements an unknown hook, or registers a key twice is quarantined with the reason; the others work.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

from .. import hints, hookspecs
from ..errors import ConnectoryError, NotFoundError, PluginError
from ..model import Element, Resource
from ..templates import parse_template
from . import builtin, compatibility, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from requests.auth import AuthBase

    from ..auth import TokenSource
    from ..dates import Codec
    from ..http import Client
    from ..model import Config, Params, Query, Window
    from ..sandbox.protocol import ProviderSandbox
    from ..templates import Rendered
    from .trace import HookCall

ENTRY_POINT_GROUP = "connectory"
CHOICE_VARIABLE = "CONNECTORY_PLUGINS"
DEFAULTS = "connectory"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginInfo:
    """What is known of one plugin. `quarantined` is the reason, None for a plugin that works."""

    name: str
    distribution: str | None = None
    version: str | None = None
    hooks: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    quarantined: str | None = None
    api: int | None = None
    """The version of the hooks that it declares to be written for."""
    deprecations: tuple[str, ...] = ()
    """What it uses that will go away, with what to use instead."""


class Plugins:
    """The registered plugins. `Plugins.load()` finds the installed ones; tests register objects by hand."""

    def __init__(self) -> None:
        self._pm = pluggy.PluginManager("connectory")
        self._pm.add_hookspecs(hookspecs)
        self._pm.register(builtin, DEFAULTS)
        self._infos: dict[str, PluginInfo] = {}
        self._elements: dict[str, Element] = {}
        self._owners: dict[str, object] = {}
        self._callers: dict[tuple[str, str], pluggy.HookCaller] = {}
        self._watcher: Callable[[HookCall], None] | None = None

    @classmethod
    def load(cls, only: Iterable[str] | None = None) -> Plugins:
        """Load what installed distributions offer: those named in `only`, else in `CONNECTORY_PLUGINS`, else all."""
        plugins = cls()
        chosen = _chosen(only)
        loaded: list[tuple[PluginInfo, object]] = []
        # By name: who is first must not depend on the order of a directory.
        for entry in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=_place):
            if chosen is not None and entry.name not in chosen:
                continue
            info = _info(entry)
            try:
                loaded.append((info, entry.load()))
            except Exception as error:  # noqa: BLE001 - a plugin's import may raise anything, and must break only itself
                plugins._quarantine(info, f"its import failed: {_describe(error)}{_place_of(error, entry)}")
        for info, plugin in loaded:
            plugins._register(info, plugin)
        for name in sorted((chosen or set()) - plugins._infos.keys()):
            plugins._quarantine(PluginInfo(name=name), f"{CHOICE_VARIABLE} names it, but it is not installed")
        return plugins

    def register(self, plugin: object, name: str) -> PluginInfo:
        """Add one plugin; the answer says whether it was quarantined."""
        self._register(PluginInfo(name=name), plugin)
        return self._infos[name]

    def _register(self, info: PluginInfo, plugin: object) -> None:
        if self._pm.has_plugin(info.name) or info.name in self._infos:
            self._quarantine(info, f"another plugin is called {info.name!r} too")
            return
        try:
            api = compatibility.check_version(plugin)
            self._hook_in(plugin, info.name)
            callers = self._pm.get_hookcallers(plugin) or []
            compatibility.check_known(plugin, callers)
            hooks = {caller.name for caller in callers}
            elements = self._checked_elements(plugin) if "connect_register_elements" in hooks else {}
        except Exception as error:  # noqa: BLE001 - whatever it raises, the others must go on
            if self._pm.is_registered(plugin):
                self._pm.unregister(plugin)
            self._quarantine(info, _describe(error))
            return
        if not elements:
            self._put_owners_first()
        self._callers.clear()
        self._elements |= elements
        self._owners |= dict.fromkeys(elements, plugin)
        self._infos[info.name] = PluginInfo(
            name=info.name,
            distribution=info.distribution,
            version=info.version,
            hooks=tuple(sorted(hooks)),
            elements=tuple(elements),
            api=api,
            deprecations=compatibility.deprecations(plugin, callers),
        )
        for text in self._infos[info.name].deprecations:
            log.warning("plugin %s: %s", info.name, text)

    def _hook_in(self, plugin: object, name: str | None) -> None:
        # Pluggy's own warnings name no plugin, and are errors where warnings are; `deprecations` says the same.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pm.register(plugin, name)

    def _put_owners_first(self) -> None:
        """Pluggy asks the plugin that was registered last first."""
        for owner in {id(owner): owner for owner in self._owners.values()}.values():
            name = self._pm.get_name(owner)
            self._pm.unregister(owner)
            self._hook_in(owner, name)

    def _checked_elements(self, plugin: object) -> dict[str, Element]:
        others = [other for other in self._pm.get_plugins() if other is not plugin]
        answer = self._pm.subset_hook_caller("connect_register_elements", others)()
        elements: dict[str, Element] = {}
        for element in (element for elements in answer for element in elements):
            if not isinstance(element, Element):
                raise PluginError(f"connect_register_elements returned {element!r}, which is no Element")
            if element.key in elements:
                raise PluginError(f"it registers the element {element.key!r} twice")
            if element.key in self._elements:
                owner = self.owner_of(element.key)
                raise PluginError(
                    f"it registers the element {element.key!r}, which the plugin {owner!r} provides",
                    hint="uninstall one of the two, or choose with " + CHOICE_VARIABLE,
                )
            elements[element.key] = element
        return elements

    def _quarantine(self, info: PluginInfo, reason: str) -> None:
        log.warning("plugin %s is quarantined: %s", info.name, reason)
        # Two plugins may share a name; the one that works keeps it.
        name = info.name if info.name not in self._infos else f"{info.name} ({info.distribution or 'second'})"
        self._infos[name] = PluginInfo(
            name=info.name, distribution=info.distribution, version=info.version, quarantined=reason
        )

    # What is here

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

    # The hooks

    def build_auth(self, element: Element, config: Config, tokens: TokenSource) -> AuthBase:
        auth: AuthBase | None = self._ask("connect_build_auth", element, config=config, tokens=tokens)
        if auth is None:
            raise PluginError(
                f"no plugin builds the auth of {element.key!r}",
                hint=f"the plugin {self.owner_of(element.key)!r} must implement connect_build_auth",
            )
        return auth

    def list_resources(self, element: Element, config: Config, client: Client | None = None) -> dict[str, Resource]:
        """The resources by name, in the order in which the plugins gave them."""
        answers: list[Sequence[Resource]] = self._ask("connect_list_resources", element, config=config, client=client)
        found: dict[str, Resource] = {}
        for resource in (resource for answer in answers for resource in answer):
            found.setdefault(resource.name, resource)
        return found

    def render_template(self, element: Element, resource: Resource, template: str, window: Window) -> Rendered:
        """The poll URL with the values of its slots; a plugin that answers text leaves the values unknown."""
        answer: str | Rendered = self._ask(
            "connect_render_template", element, resource=resource, template=template, window=window
        )
        return parse_template(template).unknown(answer) if isinstance(answer, str) else answer

    def translate_query(self, element: Element, resource: Resource, query: Query) -> Params:
        params: Params = self._ask("connect_translate_query", element, resource=resource, query=query)
        return params

    def date_format(self, element: Element, pattern: str, timezone: str | None) -> Codec:
        codec: Codec = self._ask("connect_date_format", element, pattern=pattern, timezone=timezone)
        return codec

    def open_sandbox(self, element: Element) -> ProviderSandbox | None:
        """A new sandbox of the element; None if its plugin has none."""
        sandbox: ProviderSandbox | None = self._ask("connect_open_sandbox", element)
        return sandbox

    def add_commands(self, cli: Any) -> None:
        self._notify("connect_add_commands", None, cli=cli)

    def engine_starting(self, app: Any) -> None:
        self._notify("connect_engine_starting", None, app=app)

    def poll_finished(self, element: Element, instance: Any, resource: Resource, summary: Mapping[str, Any]) -> None:
        self._notify("connect_poll_finished", element, instance=instance, resource=resource, summary=summary)

    def delivery_finished(self, element: Element, notification: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
        self._notify("connect_delivery_finished", element, notification=notification, attempt=attempt)

    # Asking

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[HookCall]]:
        """Collects who answers what meanwhile; for one thread at a time."""
        calls: list[HookCall] = []
        self._watcher = calls.append
        try:
            yield calls
        finally:
            self._watcher = None

    def _ask(self, hook: str, element: Element, **arguments: Any) -> Any:
        try:
            caller = self._caller(hook, element)
            tell = self._watcher or (trace.tell_log if trace.log.isEnabledFor(logging.DEBUG) else None)
            if tell is None:
                return caller(element=element, **arguments)
            return trace.traced(caller, element.key, {"element": element, **arguments}, tell)
        except ConnectoryError:
            raise
        except Exception as error:
            raise PluginError(
                f"{hook} failed for the element {element.key!r}: {_describe(error)}",
                hint=f"this is a mistake in the plugin {self.owner_of(element.key)!r}, or in one that extends it",
            ) from error

    def _caller(self, hook: str, element: Element) -> pluggy.HookCaller:
        """The hook, without the plugins that own other elements only."""
        key = (hook, element.key)
        if key not in self._callers:
            owner = self._owners[element.key]
            strangers = {id(plugin): plugin for plugin in self._owners.values() if plugin is not owner}
            self._callers[key] = self._pm.subset_hook_caller(hook, strangers.values())
        return self._callers[key]

    def _notify(self, hook: str, element: Element | None, **arguments: Any) -> None:
        """Tell each plugin on its own: one that fails is logged by name, and the others are told all the same."""
        for implementation in self._told(hook, element):
            function: Callable[..., Any] = implementation.function
            try:
                function(*(arguments[name] for name in implementation.argnames))
            except Exception:
                log.exception("plugin %s failed in %s", implementation.plugin_name, hook)

    def _told(self, hook: str, element: Element | None) -> list[pluggy.HookImpl]:
        """Who implements a notice, the first to be told first; a plugin that knows its old name only, by that."""
        found: dict[int, pluggy.HookImpl] = {}
        for name in (hook, *(old for old, new in hookspecs.RENAMED.items() if new == hook)):
            caller = getattr(self._pm.hook, name) if element is None else self._caller(name, element)
            for implementation in reversed(caller.get_hookimpls()):
                found.setdefault(id(implementation.plugin), implementation)
        return list(found.values())


def _chosen(only: Iterable[str] | None) -> set[str] | None:
    if only is not None:
        return set(only)
    variable = os.environ.get(CHOICE_VARIABLE)
    if variable is None:
        return None
    return {name.strip() for name in variable.split(",") if name.strip()}


def _place(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return entry.name, entry.dist.name if entry.dist is not None else ""


def _info(entry: importlib.metadata.EntryPoint) -> PluginInfo:
    if entry.dist is None:
        return PluginInfo(name=entry.name)
    return PluginInfo(name=entry.name, distribution=entry.dist.name, version=entry.dist.version)


def _place_of(error: Exception, entry: importlib.metadata.EntryPoint) -> str:
    """Where in the plugin's own files an import failed; empty where it did not get that far."""
    import traceback
    from pathlib import Path

    package = entry.module.partition(".")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parts]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _describe(error: Exception) -> str:
    return str(error) if isinstance(error, ConnectoryError) else f"{type(error).__name__}: {error}"
