"""Behaviour that differs between providers' editions, settings and bad days, as frozen data that a test replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


@dataclass(frozen=True, kw_only=True)
class Switches:
    """What every sandbox can do; a sandbox with switches of its own extends this.

    `steps_per_call` is how many changes people make after every call of the API, so that a poll meets a moving table.

    `commit_delay` is how many seconds a write takes to become visible.

    >>> from connectory.testing.sandbox import Sandbox
    >>> fake = Sandbox(switches=Switches(commit_delay=2))
    >>> fake.table("orders").commit_delay
    2
    """

    commit_delay: float = 0
    steps_per_call: int = 0


def changed(switches: _T, patch: Mapping[str, Any]) -> _T:
    """The switches with a patch of JSON values; groups of switches are patched, not replaced.

    ValueError names the switches that there are.

    >>> changed(Switches(commit_delay=2), {"steps_per_call": 1})
    Switches(commit_delay=2, steps_per_call=1)
    """
    known = {item.name for item in fields(switches)}
    unknown = sorted(set(patch) - known)
    if unknown:
        raise ValueError(f"unknown switch {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return replace(switches, **{name: _patched(getattr(switches, name), value) for name, value in patch.items()})


def _patched(current: Any, value: Any) -> Any:
    if is_dataclass(current) and not isinstance(current, type) and isinstance(value, Mapping):
        return changed(current, value)
    return tuple(value) if isinstance(value, list) else value


def as_json(switches: DataclassInstance) -> dict[str, Any]:
    return asdict(switches)
