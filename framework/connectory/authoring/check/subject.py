"""The plugin that is checked, with everything that the rules look at."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...plans.entries import compile_plans
from ..trying import configuration_of
from .contract import ContractRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marshmallow import fields

    from ...model import Config, Element, Resource
    from ...plans.plan import Plan
    from ...plugins import PluginInfo, Plugins
    from .project import Project


@dataclass(kw_only=True, eq=False)
class Subject:
    """A plugin that loads. `plugins` holds only this plugin and the built-in defaults."""

    info: PluginInfo
    plugin: object
    module: str
    plugins: Plugins
    project: Project
    contract: ContractRun = field(default_factory=lambda: ContractRun(problem="the contract tests were not run"))

    @property
    def elements(self) -> Sequence[Element]:
        return self.plugins.elements()

    def own_fields(self, element: Element) -> Sequence[fields.Field[Any]]:
        """The element's own configuration keys, without those that every element has."""
        return list(element.config_schema().fields.values())

    @functools.cache  # noqa: B019 - a subject lives as long as one check
    def sandbox(self, element: Element) -> Any:
        return self.plugins.open_sandbox(element)

    @functools.cache  # noqa: B019
    def config(self, element: Element) -> Config:
        """The configuration that the sandbox asks for, or the defaults without a sandbox."""
        return configuration_of(element, self.sandbox(element))

    def resources(self, element: Element) -> Mapping[str, Resource]:
        return self.plugins.list_resources(element, self.config(element))

    def polled(self, element: Element) -> list[Resource]:
        """The resources that are polled by default."""
        return [resource for resource in self.resources(element).values() if resource.poller]

    def plans(self, element: Element) -> Mapping[str, Plan]:
        """The plans of its resources; raises `ConfigurationError` with the name of a wrong entry."""
        return compile_plans(element, self.config(element), self.plugins)

    # The code

    @property
    def package(self) -> Path | None:
        """The directory of its package, or the file of its only module."""
        top = sys.modules.get(self.module.partition(".")[0])
        file = getattr(top, "__file__", None)
        if file is None:
            return None
        return Path(file).parent if Path(file).name == "__init__.py" else Path(file)

    @functools.cache  # noqa: B019
    def trees(self) -> Mapping[str, ast.Module]:
        """Its parsed modules, by their path below the package's parent."""
        package = self.package
        if package is None:
            return {}
        files = sorted(package.rglob("*.py")) if package.is_dir() else [package]
        return {str(file.relative_to(package.parent)): ast.parse(file.read_text("utf-8")) for file in files}

    def functions(self) -> list[tuple[str, Any]]:
        """The plugin's functions that are named like hooks, marked or not."""
        members = inspect.getmembers_static(self.plugin)
        return [(name, value) for name, value in members if name.startswith("connect_") and callable(value)]
