"""Finds plugins, keeps them apart, and asks them: one typed method per hook."""

from .registry import ENTRY_POINT_GROUP, PluginInfo, Plugins

__all__ = ["ENTRY_POINT_GROUP", "PluginInfo", "Plugins"]
