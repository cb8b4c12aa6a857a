"""Which plugins this version works with, and what their authors should change.

A plugin may say which version of the hooks it was written for, by an attribute of what its entry point names:
`connectory_api = 2`. The framework takes that version and the one before. A plugin that says nothing is judged by the
hooks that it implements alone.

>>> import types
>>> check_version(types.SimpleNamespace(connectory_api=API_VERSION))
2
>>> check_version(types.SimpleNamespace()) is None
True
>>> check_version(types.SimpleNamespace(connectory_api=99))
Traceback (most recent call last):
connectory.errors.PluginError: it is written for version 99 of the hooks, and this Connectory takes 1 to 2 (upgrade \
Connectory: pip install --upgrade connectory)
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from .. import hints, hookspecs
from ..errors import PluginError
from ..hookspecs import API_VERSION, OLDEST_API_VERSION, RENAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import pluggy

ATTRIBUTE = "connectory_api"


def check_version(plugin: object) -> int | None:
    """The version that a plugin declares, None where it declares none; `PluginError` for one that is not served."""
    declared = getattr(plugin, ATTRIBUTE, None)
    if declared is None:
        return None
    if not isinstance(declared, int) or isinstance(declared, bool):
        raise PluginError(
            f"its {ATTRIBUTE} is {declared!r}, which is no version of the hooks",
            hint=f"write {ATTRIBUTE} = {API_VERSION}",
        )
    if not OLDEST_API_VERSION <= declared <= API_VERSION:
        raise PluginError(
            f"it is written for version {declared} of the hooks, and this Connectory takes "
            f"{OLDEST_API_VERSION} to {API_VERSION}",
            hint=_cure(declared),
        )
    return declared


def _cure(declared: int) -> str:
    if declared > API_VERSION:
        return hints.UPGRADE
    return "upgrade the plugin, or ask its author to: docs/explanation/compatibility.md says what has changed"


def deprecations(plugin: object, callers: Iterable[pluggy.HookCaller]) -> tuple[str, ...]:
    """What a registered plugin uses that will go away, each with what to use instead."""
    callers = list(callers)
    implemented = {caller.name for caller in callers}
    return tuple(
        str(warning)
        for caller in callers
        if RENAMED.get(caller.name) not in implemented
        for warning in _warnings(plugin, caller)
    )


def _warnings(plugin: object, caller: pluggy.HookCaller) -> list[Warning]:
    if caller.spec is None:
        return []
    whole = [caller.spec.warn_on_impl] if caller.spec.warn_on_impl else []
    named = caller.spec.warn_on_impl_args or {}
    taken = {name for one in implementations(plugin, caller) for name in one.argnames}
    return [*whole, *(warning for name, warning in named.items() if name in taken)]


def implementations(plugin: object, caller: pluggy.HookCaller) -> list[pluggy.HookImpl]:
    """A plugin's own answers to a hook: at most one."""
    return [one for one in caller.get_hookimpls() if one.plugin is plugin]


def check_known(plugin: object, callers: Iterable[pluggy.HookCaller]) -> None:
    """`PluginError` names the hooks that there are not; those marked `optionalhook` serve other versions."""
    unknown = sorted(
        caller.name
        for caller in callers
        if not caller.has_spec() and not all(one.optionalhook for one in implementations(plugin, caller))
    )
    if unknown:
        raise PluginError(
            f"it implements {', '.join(unknown)}, which this version has no hook for",
            hint=_meant(unknown) or "correct the name, or upgrade Connectory",
        )


def hook_names() -> list[str]:
    """The names of the hooks, in the order of `hookspecs`."""
    return [name for name in vars(hookspecs) if name.startswith("connect_")]


def _meant(unknown: Collection[str]) -> str:
    near = {name: difflib.get_close_matches(name, hook_names(), n=1) for name in unknown}
    return "; ".join(f"did you mean {found[0]} by {name}?" for name, found in near.items() if found)
