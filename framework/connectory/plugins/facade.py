"""Asks the plugins: one typed method per hook."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from ..errors import ConnectoryError, PluginError
from ..templates import parse_template
from . import trace
from .discovery import Found, describe_error, discover
from .info import PluginInfo
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from requests.auth import AuthBase

    from ..auth import TokenSource
    from ..dates import Codec
    from ..http import Client
    from ..model import Config, Element, Params, Query, Resource, Window
    from ..sandbox.protocol import ProviderSandbox
    from ..templates import Rendered
    from .trace import HookCall

log = logging.getLogger(__name__)


class Plugins:
    """The registered plugins. `Plugins.load()` finds the installed ones; tests register objects themselves."""

    def __init__(self) -> None:
        self._registry = Registry()
        self._watcher: Callable[[HookCall], None] | None = None

    @classmethod
    def load(cls, only: Iterable[str] | None = None) -> Plugins:
        """Load the installed plugins: those named in `only`, else those named in `CONNECTORY_PLUGINS`, else all."""
        plugins = cls()
        for found in discover(only):
            plugins._registry.register(found)
        return plugins

    def register(self, plugin: object, name: str) -> PluginInfo:
        """Add one plugin; the answer says whether it was quarantined."""
        self._registry.register(Found(info=PluginInfo(name=name), plugin=plugin))
        return self._registry.info(name)

    # What is registered

    def infos(self) -> list[PluginInfo]:
        return self._registry.infos()

    def elements(self) -> list[Element]:
        return self._registry.elements()

    def element(self, key: str) -> Element:
        return self._registry.element(key)

    def owner_of(self, key: str) -> str:
        """The name of the plugin that provides an element."""
        return self._registry.owner_of(key)

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
        """The poll URL with the values of its slots. If a plugin answers plain text, the values are unknown."""
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
        """Collects the questions and answers while the context is open; for one thread at a time."""
        calls: list[HookCall] = []
        self._watcher = calls.append
        try:
            yield calls
        finally:
            self._watcher = None

    def _ask(self, hook: str, element: Element, **arguments: Any) -> Any:
        try:
            caller = self._registry.caller(hook, element)
            tell = self._watcher or (trace.tell_log if trace.log.isEnabledFor(logging.DEBUG) else None)
            if tell is None:
                return caller(element=element, **arguments)
            return trace.traced(caller, element.key, {"element": element, **arguments}, tell)
        except ConnectoryError:
            raise
        except Exception as error:
            raise PluginError(
                f"{hook} failed for the element {element.key!r}: {describe_error(error)}",
                hint=f"this is a mistake in the plugin {self.owner_of(element.key)!r}, or in one that extends it",
            ) from error

    def _notify(self, hook: str, element: Element | None, **arguments: Any) -> None:
        """Tell each plugin separately: a failing plugin is logged by name, and the others are still told."""
        for implementation in reversed(self._registry.caller(hook, element).get_hookimpls()):
            function: Callable[..., Any] = implementation.function
            try:
                function(*(arguments[name] for name in implementation.argnames))
            except Exception:
                log.exception("plugin %s failed in %s", implementation.plugin_name, hook)
