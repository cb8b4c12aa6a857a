"""The settings of a fake provider: frozen data that a test replaces to change its behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


@dataclass(frozen=True, kw_only=True)
class Switches:
    """The settings of every sandbox. A sandbox with settings of its own extends this class.

    `steps_per_call` is the number of changes made after every call of the API, so that tables change during a poll.
    `commit_delay` is the number of seconds until a write becomes visible.

    >>> from connectory.sandbox import Sandbox
    >>> fake = Sandbox(switches=Switches(commit_delay=2))
    >>> fake.table("orders").commit_delay
    2
    """

    commit_delay: float = 0
    steps_per_call: int = 0


def changed(switches: _T, patch: Mapping[str, Any]) -> _T:
    """The switches with a patch of JSON values. Groups of switches are patched, not replaced; lists become tuples.

    A group that may be off is None until a patch sets part of it; the metadata of its field names its class.
    `ValueError` lists the known switches.

    >>> changed(Switches(commit_delay=2), {"steps_per_call": 1})
    Switches(commit_delay=2, steps_per_call=1)
    >>> from dataclasses import field
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Limit:
    ...     calls: int = 100
    ...     seconds: int = 60
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Habits(Switches):
    ...     limit: Limit | None = field(default=None, metadata={"group": Limit})
    >>> changed(Habits(), {"limit": {"calls": 3}}).limit
    Limit(calls=3, seconds=60)
    """
    known = {item.name: item for item in fields(switches)}
    unknown = sorted(set(patch) - set(known))
    if unknown:
        raise ValueError(f"unknown switch {', '.join(unknown)}; the known ones are {', '.join(sorted(known))}")
    return replace(
        switches, **{name: _patched(known[name], getattr(switches, name), value) for name, value in patch.items()}
    )


def _patched(item: Field[Any], current: Any, value: Any) -> Any:
    if current is None and "group" in item.metadata and isinstance(value, Mapping):
        current = item.metadata["group"]()
    if is_dataclass(current) and not isinstance(current, type) and isinstance(value, Mapping):
        return changed(current, value)
    return _frozen(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def as_json(switches: DataclassInstance) -> dict[str, Any]:
    """The switches as a JSON object.

    >>> as_json(Switches(commit_delay=2))
    {'commit_delay': 2, 'steps_per_call': 0}
    """
    return asdict(switches)
