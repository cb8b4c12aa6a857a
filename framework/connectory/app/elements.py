"""`app.elements`: the systems that can be connected, what an instance of one needs, and the plugins they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..insight.recording import load_recording
from ..insight.replay import replay
from ..plugins import Plugins
from ..schemas import configuration_schema, default_configuration, default_of
from ..serialize import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ..insight.explanation import Explanation
    from ..model import Element
    from ..plugins import PluginInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementSummary:
    key: str
    name: str
    hub: str
    plugin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigurationKey:
    """One key of an instance's configuration; a default that is a duration is in minutes, as it would be given."""

    key: str
    type: str
    required: bool
    default: Any
    secret: bool
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceSummary:
    """`poller` is the default entry of `event.poller.configuration`; None: it is not polled unless configured."""

    name: str
    path: str
    poller: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementDetails:
    key: str
    name: str
    hub: str
    description: str
    plugin: str
    configuration: tuple[ConfigurationKey, ...]
    resources: tuple[ResourceSummary, ...]
    uses_oauth: bool = field(default=False, metadata=HIDDEN)


class Elements:
    """The elements that the installed plugins provide. It needs no store, so `Elements.load()` works without an app."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    @classmethod
    def load(cls, only: Iterable[str] | None = None) -> Elements:
        """Find the installed plugins: those named in `only`, else in `CONNECTORY_PLUGINS`, else all."""
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
        """One element with its configuration keys and its resources; `NotFoundError` where it is not installed."""
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
        """The default poller entries that an instance with this configuration would have, by resource."""
        element = self._plugins.element(key)
        found = self._plugins.list_resources(element, default_configuration(element) | dict(configuration))
        return {name: resource.poller for name, resource in found.items() if resource.poller is not None}

    def _resources(self, element: Element) -> tuple[ResourceSummary, ...]:
        return tuple(
            ResourceSummary(name=one.name, path=one.path, poller=dict(one.poller) if one.poller else None)
            for one in self._plugins.list_resources(element, default_configuration(element)).values()
        )

    def plugins(self) -> list[PluginInfo]:
        """The plugins that were found, quarantined ones included."""
        return self._plugins.infos()

    @property
    def hooks(self) -> Plugins:
        """The hooks of the plugins, for tools that ask them one by one."""
        return self._plugins

    def add_commands(self, cli: Any) -> None:
        """Let plugins add their commands to a Typer application."""
        self._plugins.add_commands(cli)

    def open_sandbox(self, key: str, faults: Sequence[str] = ()) -> Any:
        """The element's sandbox, a WSGI application with these faults; `ConfigurationError` where there is none."""
        fake = self._plugins.open_sandbox(self._plugins.element(key))
        if fake is None:
            raise ConfigurationError(
                f"{key} has no sandbox", hint=f"the plugin {self._plugins.owner_of(key)!r} would have to bring one"
            )
        if faults:
            try:
                fake.break_with(faults)
            except AttributeError:
                raise ConfigurationError(f"the sandbox of {key} knows no faults", where="--fault") from None
            except ValueError as error:
                raise ConfigurationError(str(error), where="--fault") from None
        return fake

    def replay(self, path: Path, resource: str | None = None) -> Explanation:
        """Explain a recorded poll without its provider; the only one of the file, or that of a resource."""
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
