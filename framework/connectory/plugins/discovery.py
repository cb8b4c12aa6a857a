"""Finds the plugins that are installed, and imports them. A plugin that cannot be imported breaks only itself."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConnectoryError
from .info import PluginInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENTRY_POINT_GROUP = "connectory"
CHOICE_VARIABLE = "CONNECTORY_PLUGINS"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One plugin that was looked for: the imported `plugin`, or the reason why there is none."""

    info: PluginInfo
    plugin: object = None
    broken: str | None = None


def discover(only: Iterable[str] | None = None) -> Iterator[Found]:
    """Import the installed plugins: those named in `only`, else those named in `CONNECTORY_PLUGINS`, else all."""
    chosen = _chosen(only)
    names = set()
    # Sorted by name, because the order must not depend on that of the files in a folder.
    for entry in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP), key=_place):
        if chosen is None or entry.name in chosen:
            names.add(entry.name)
            yield _imported(entry)
    for name in sorted((chosen or set()) - names):
        source = CHOICE_VARIABLE if only is None else "the argument `only`"
        yield Found(info=PluginInfo(name=name), broken=f"{source} names this plugin, but it is not installed")


def describe_error(error: Exception) -> str:
    return str(error) if isinstance(error, ConnectoryError) else f"{type(error).__name__}: {error}"


def _imported(entry: importlib.metadata.EntryPoint) -> Found:
    info = _info(entry)
    try:
        return Found(info=info, plugin=entry.load())
    except Exception as error:  # noqa: BLE001 - an import may raise anything
        return Found(info=info, broken=f"its import failed: {describe_error(error)}{_source_of(error, entry)}")


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


def _source_of(error: Exception, entry: importlib.metadata.EntryPoint) -> str:
    """The line of the plugin's own files at which its import failed; empty if no such line was reached."""
    import traceback
    from pathlib import Path

    package = entry.module.partition(".")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parts]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
