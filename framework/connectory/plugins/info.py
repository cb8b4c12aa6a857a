"""The facts about a plugin that are shown to people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginInfo:
    """One plugin, its hooks and its elements. `quarantined` is the reason why it is not used; None if it is used."""

    name: str
    distribution: str | None = None
    version: str | None = None
    hooks: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    quarantined: str | None = None
    api: int | None = None
    """The version of the hooks that the plugin declares."""
