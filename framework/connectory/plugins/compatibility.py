"""Which plugins this version works with.

A plugin may say which version of the hooks it was written for, by an attribute of the object that its entry point
names: `connectory_api = 2`. A plugin for another version is refused. A plugin that says nothing is judged only by the
hooks that it implements.

>>> import types
>>> check_version(types.SimpleNamespace(connectory_api=API_VERSION))
2
>>> check_version(types.SimpleNamespace()) is None
True
>>> check_version(types.SimpleNamespace(connectory_api=99))
Traceback (most recent call last):
connectory.errors.PluginError: it was written for version 99 of the hooks, but this Connectory has version 2 (upgrade \
Connectory: pip install --upgrade connectory)
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from .. import hints, hookspecs
from ..errors import PluginError
from ..hookspecs import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pluggy

ATTRIBUTE = "connectory_api"


def check_version(plugin: object) -> int | None:
    """The version that a plugin declares, or None; `PluginError` if it is not the version of this Connectory."""
    declared = getattr(plugin, ATTRIBUTE, None)
    if declared is None:
        return None
    if not isinstance(declared, int) or isinstance(declared, bool):
        raise PluginError(
            f"its {ATTRIBUTE} is {declared!r}, which is not a version of the hooks",
            hint=f"write {ATTRIBUTE} = {API_VERSION}",
        )
    if declared != API_VERSION:
        raise PluginError(
            f"it was written for version {declared} of the hooks, but this Connectory has version {API_VERSION}",
            hint=hints.UPGRADE if declared > API_VERSION else "upgrade the plugin, or ask its author for a new release",
        )
    return declared


def check_known(plugin: object, callers: Iterable[pluggy.HookCaller]) -> None:
    """Refuse a plugin with unknown hooks, except for those marked `optionalhook`: they are for other versions."""
    unknown = sorted(caller.name for caller in callers if not caller.has_spec() and not _is_optional(plugin, caller))
    if unknown:
        raise PluginError(
            f"it implements {', '.join(unknown)}, but this Connectory has no such hook",
            hint=_meant(unknown) or "correct the name, or upgrade Connectory",
        )


def _is_optional(plugin: object, caller: pluggy.HookCaller) -> bool:
    return all(one.optionalhook for one in caller.get_hookimpls() if one.plugin is plugin)


def hook_names() -> list[str]:
    """The names of the hooks, in the order of `hookspecs`."""
    return [name for name in vars(hookspecs) if name.startswith("connect_")]


def _meant(unknown: Collection[str]) -> str:
    near = {name: difflib.get_close_matches(name, hook_names(), n=1) for name in unknown}
    return "; ".join(f"did you mean {found[0]} instead of {name}?" for name, found in near.items() if found)
