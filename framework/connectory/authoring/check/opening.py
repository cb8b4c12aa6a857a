"""Finds the plugin to check: in a project's directory, or among the installed ones."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigurationError, NotFoundError
from ...plugins import ENTRY_POINT_GROUP, PluginInfo, Plugins
from .project import Project, installed_project, read_project
from .subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def open_subject(target: str = ".", entry: str | None = None) -> Iterator[Subject]:
    """The plugin in a project's directory, or an installed plugin by its name, distribution or element.

    A project need not be installed: its modules are imported from its directory, and forgotten at the end. `entry`
    chooses one of several entry points. Raises `ConfigurationError` if the path or plugin does not exist, if the
    directory is not a plugin's project, or if the plugin is quarantined.
    """
    if _is_path(target):
        path = Path(target)
        if not path.is_dir():
            what = "this is a file, not the directory of a project" if path.exists() else "there is no such directory"
            raise ConfigurationError(what, where=target, hint="name a plugin's project or an installed plugin")
        project = read_project(path)
        name = _chosen(project, entry)
        with _importable(project):
            yield _subject(name, project.entry_points[name], project)
        return
    if entry is not None:
        raise ConfigurationError(
            "an installed plugin has only one entry point",
            where="--entry",
            hint="use --entry with a project's directory",
        )
    info = _installed(target)
    found = _entry_point(info)
    project = installed_project(found.dist, {found.name: found.value})
    yield _subject(found.name, found.value, project)


def _is_path(target: str) -> bool:
    return target in {".", ".."} or os.sep in target or "/" in target or Path(target).exists()


def _chosen(project: Project, entry: str | None) -> str:
    names = list(project.entry_points)
    if entry is None and len(names) == 1:
        return names[0]
    if entry in project.entry_points:
        return str(entry)
    problem = f"there is no entry point {entry!r}" if entry else "the project has several entry points"
    raise ConfigurationError(problem, where=str(project.path), hint=f"choose one with --entry: {', '.join(names)}")


@contextlib.contextmanager
def _importable(project: Project) -> Iterator[None]:
    """Make the project's modules importable, and forget them at the end."""
    roots = [str(root) for root in project.roots]
    known = set(sys.modules)
    sys.path[:0] = roots
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for root in roots:
            sys.path.remove(root)
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and project.path is not None and Path(file).is_relative_to(project.path):
                del sys.modules[name]


def _subject(name: str, value: str, project: Project) -> Subject:
    entry = importlib.metadata.EntryPoint(name=name, value=value, group=ENTRY_POINT_GROUP)
    try:
        plugin = entry.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConfigurationError(
            f"the plugin {name!r} is quarantined: its import failed: {reason}",
            where=f"{project.name}, entry point {name} = {value!r}",
            hint="correct the entry point, or what its module imports",
        ) from error
    _check_origin(entry.module, project)
    plugins = Plugins()
    info = plugins.register(plugin, name)
    if info.quarantined:
        raise ConfigurationError(f"the plugin {name!r} is quarantined: {info.quarantined}", where=project.name)
    return Subject(info=info, plugin=plugin, module=entry.module, plugins=plugins, project=project)


def _check_origin(module: str, project: Project) -> None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if project.path is None or file is None or Path(file).resolve().is_relative_to(project.path):
        return
    raise ConfigurationError(
        f"{module} was imported from {file}, not from this project",
        where=str(project.path),
        hint="an installed module has the same name: rename yours, or check the installed plugin by name",
    )


# What is installed


def _installed(target: str) -> PluginInfo:
    infos = Plugins.load().infos()
    for info in infos:
        if target in {info.name, *info.elements} or _normal(target) == _normal(info.distribution or ""):
            if info.quarantined:
                raise ConfigurationError(
                    f"the plugin {info.name!r} is quarantined: {info.quarantined}",
                    hint="`connect plugins` lists all plugins",
                )
            return info
    raise NotFoundError(
        f"no plugin is called {target!r}, and there is no such directory",
        hint=f"installed plugins: {', '.join(info.name for info in infos) or 'none'}",
    )


def _normal(name: str) -> str:
    """The name of a distribution in one spelling: -, _ and . mean the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _entry_point(info: PluginInfo) -> importlib.metadata.EntryPoint:
    entries = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP, name=info.name)
    return next(entry for entry in entries if entry.dist is None or entry.dist.name == info.distribution)
