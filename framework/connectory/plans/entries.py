"""The poller entries of an instance, and the plans that they become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schemas import POLLER_CONFIGURATION, PollerConfiguration
from .compiling import compile_plan, unknown_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..model import Config, Element, PollerEntry, Resource
    from ..plugins import Plugins
    from .plan import Plan


def compile_plans(element: Element, config: Config, plugins: Plugins) -> dict[str, Plan]:
    """The plans of an instance by resource. The plugins are asked for the resources once."""
    resources = plugins.list_resources(element, config)
    return {
        name: compile_plan(name, entry, element=element, resources=resources, plugins=plugins)
        for name, entry in entries_of(element, config, resources).items()
    }


def entries_of(element: Element, config: Config, resources: Mapping[str, Resource]) -> dict[str, PollerEntry]:
    """The configured entries; if there are none, the default entries of all resources that have one."""
    configured: dict[str, PollerEntry] | None = config[POLLER_CONFIGURATION]
    if configured is not None:
        return configured
    return default_entries(element, [name for name, resource in resources.items() if resource.poller], resources)


def default_entries(
    element: Element, names: Iterable[str], resources: Mapping[str, Resource]
) -> dict[str, PollerEntry]:
    """The default entries of these resources; an error for a resource that has none."""
    entries = {}
    for name in names:
        resource = resources.get(name)
        if resource is None or resource.poller is None:
            raise unknown_resource(name, element, {key: r for key, r in resources.items() if r.poller})
        entries[name] = resource.poller
    parsed: dict[str, PollerEntry] = PollerConfiguration().deserialize(entries)
    return parsed
