"""`app.elements`: the systems that can be connected, their configuration keys, and the plugins that provide them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..plugins import Plugins
from ..schemas import configuration_schema, default_configuration, default_of
from ..serialize import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ..insight.explanation import Explanation
    from ..model import Element
    from ..plugins import PluginInfo
    from ..sandbox.protocol import ProviderSandbox


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementSummary:
    """An element and the name of the plugin that provides it."""

    key: str
    name: str
    hub: str
    plugin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigurationKey:
    """One key of an instance's configuration. The `default` of a duration is in minutes, as in the configuration."""

    key: str
    type: str
    required: bool
    default: Any
    secret: bool
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceSummary:
    """A resource that an instance can poll. `poller` is its default entry of `event.poller.configuration`.

    If `poller` is None, the resource is polled only if the configuration has an entry for it.
    """

    name: str
    path: str
    poller: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementDetails:
    """An element with the keys of its configuration, required ones first, and its resources."""

    key: str
    name: str
    hub: str
    description: str
    plugin: str
    configuration: tuple[ConfigurationKey, ...]
    resources: tuple[ResourceSummary, ...]
    uses_oauth: bool = field(default=False, metadata=HIDDEN)


class Elements:
    """The elements that the installed plugins provide. `Elements.load()` works without a store."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    @classmethod
    def load(cls, only: Iterable[str] | None = None) -> Elements:
        """Load the installed plugins: those named in `only`, or in `CONNECTORY_PLUGINS`, or all."""
        return cls(Plugins.load(only))

    def find(self) -> list[ElementSummary]:
        """All elements, by key."""
        return [
            ElementSummary(
                key=element.key, name=element.name, hub=element.hub, plugin=self._plugins.owner_of(element.key)
            )
            for element in self._plugins.elements()
        ]

    def get(self, key: str) -> ElementDetails:
        """One element. Raises `NotFoundError` if no plugin provides it."""
        element = self._plugins.element(key)
        keys = (_configuration_key(found) for found in configuration_schema(element).fields.values())
        return ElementDetails(
            key=element.key,
            name=element.name,
            hub=element.hub,
            description=element.description,
            plugin=self._plugins.owner_of(element.key),
            configuration=tuple(sorted(keys, key=lambda entry: (not entry.required, entry.key))),
            resources=self._resources(element),
            uses_oauth=element.oauth is not None,
        )

    def pollers(self, key: str, configuration: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The default poller entries of an instance with this configuration, by resource."""
        element = self._plugins.element(key)
        found = self._plugins.list_resources(element, default_configuration(element) | dict(configuration))
        return {name: resource.poller for name, resource in found.items() if resource.poller is not None}

    def _resources(self, element: Element) -> tuple[ResourceSummary, ...]:
        return tuple(
            ResourceSummary(name=one.name, path=one.path, poller=dict(one.poller) if one.poller else None)
            for one in self._plugins.list_resources(element, default_configuration(element)).values()
        )

    def plugins(self) -> list[PluginInfo]:
        """The plugins that were found. Those that cannot be used have a reason in `quarantined`."""
        return self._plugins.infos()

    @property
    def hooks(self) -> Plugins:
        """The plugins' hooks, for tools that call them one by one."""
        return self._plugins

    def add_commands(self, cli: Any) -> None:
        """Let plugins add their commands to a Typer application."""
        self._plugins.add_commands(cli)

    def open_sandbox(self, key: str, faults: Sequence[str] = ()) -> ProviderSandbox:
        """The element's sandbox: a WSGI application that fakes the provider, with these `faults` switched on.

        `connectory.sandbox.serving.Served` serves it on this machine. `sandbox.configuration(url)` is what an instance
        needs to use it, `sandbox.consent` plays the person who allows the access (for `instances.create`), and
        `sandbox.step()` changes one record. Raises `ConfigurationError` if the element has no sandbox.
        """
        from ..sandbox.protocol import HasFaults

        fake = self._plugins.open_sandbox(self._plugins.element(key))
        if fake is None:
            raise ConfigurationError(
                f"{key} has no sandbox", hint=f"the plugin {self._plugins.owner_of(key)!r} does not provide one"
            )
        if faults:
            if not isinstance(fake, HasFaults):
                raise ConfigurationError(f"the sandbox of {key} has no faults to switch on", where="faults")
            try:
                fake.break_with(faults)
            except ValueError as error:
                raise ConfigurationError(str(error), where="faults") from None
        return fake

    def replay(self, path: Path, resource: str | None = None) -> Explanation:
        """Explain a poll that `app.polls.record` wrote. `resource` chooses one if the file has several."""
        from ..insight.recording import load_recording
        from ..insight.replay import replay

        return replay(self._plugins, load_recording(path, resource))


def _configuration_key(found: Any) -> ConfigurationKey:
    default = default_of(found)
    return ConfigurationKey(
        key=found.data_key,
        type=type(found).__name__,
        required=found.required,
        default=default.total_seconds() / 60 if hasattr(default, "total_seconds") else default,
        secret=bool(found.metadata.get("secret")),
        description=found.metadata.get("description", ""),
    )
