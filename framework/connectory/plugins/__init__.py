"""Finds plugins, keeps them apart, and asks them.

1. `discovery` finds the installed plugins and imports them.
2. `registry` registers plugins, knows which plugin owns which element, and quarantines a plugin that is broken;
   `compatibility` checks the version of the hooks that a plugin was written for.
3. `facade` asks: `Plugins` has one typed method per hook. `builtin` is the plugin that answers last.
4. `trace` tells which plugin answered which hook.
"""

from .discovery import ENTRY_POINT_GROUP
from .facade import Plugins
from .info import PluginInfo

__all__ = ["ENTRY_POINT_GROUP", "PluginInfo", "Plugins"]
