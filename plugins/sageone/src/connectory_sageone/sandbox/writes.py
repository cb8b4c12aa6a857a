"""Reads the bodies of writes: wrapped objects, references by `<field>_id`, amounts as numbers or text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import Mistake, refused
from .records import with_texts
from .schema import REFERENCES, Collection

if TYPE_CHECKING:
    from connectory.sandbox import Call

Finder = Callable[[str, str], Mapping[str, Any] | None]
"""The reference to a record, from the name of its table and its id; None if there is no such record."""

_NEVER_WRITTEN = {"id", "displayed_as", "$path", "created_at", "updated_at", "deleted_at", "legacy_id"}


def unwrapped(collection: Collection, call: Call) -> dict[str, Any]:
    """The record of a body; 422 if it is not wrapped in its singular name."""
    body = call.json().get(collection.wrapper)
    if not isinstance(body, dict):
        raise refused((collection.wrapper, "is missing"))
    return body


def check_required(collection: Collection, values: Mapping[str, Any]) -> None:
    missing = [name for name in collection.required if values.get(name) in (None, "", [])]
    if missing:
        raise refused(*((f"{collection.wrapper}[{name}]", f"{name} is required") for name in missing))


def stored(collection: Collection, values: Mapping[str, Any], find: Finder) -> dict[str, Any]:
    """The record as stored: references as objects, amounts as text. 422 names each reference without a record."""
    mistakes: list[Mistake] = []
    fields = _fields(values, find, collection.wrapper, mistakes)
    if mistakes:
        raise refused(*mistakes)
    kept = with_texts({name: value for name, value in fields.items() if name not in _NEVER_WRITTEN})
    return dict(kept)


def _fields(values: Mapping[str, Any], find: Finder, where: str, mistakes: list[Mistake]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        singular = name.removesuffix("_ids") if name.endswith("_ids") else name.removesuffix("_id")
        if singular != name and singular in REFERENCES:
            ids = value if isinstance(value, list) else [value]
            targets = [_target(singular, one, find, f"{where}[{name}]", mistakes) for one in ids]
            plural = name.endswith("_ids")
            found[f"{singular}s" if plural else singular] = targets if plural else targets[0]
        elif isinstance(value, Mapping):
            found[name] = _fields(value, find, f"{where}[{name}]", mistakes)
        elif isinstance(value, list):
            found[name] = [
                _fields(item, find, f"{where}[{name}]", mistakes) if isinstance(item, Mapping) else item
                for item in value
            ]
        else:
            found[name] = value
    return found


def _target(
    singular: str, record_id: Any, find: Finder, where: str, mistakes: list[Mistake]
) -> Mapping[str, Any] | None:
    if record_id is None:
        return None
    target = find(REFERENCES[singular], str(record_id))
    if target is None:
        mistakes.append((where, f"{singular.replace('_', ' ')} not found"))
    return target
