"""Shows records as the API does: base keys, attributes, and references one level deep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .schema import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from connectory.sandbox import Row

BASE_KEYS = ("id", "displayed_as", "$path")
BUSINESS = "_business"
LEGACY_ID = "legacy_id"


def base_of(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: record[key] for key in BASE_KEYS}


def reference(path: str, record_id: str, displayed_as: str) -> dict[str, str]:
    return {"id": record_id, "displayed_as": displayed_as, "$path": f"{path}/{record_id}"}


def shown(record: Row, attributes: Collection[str], *, legacy_id: bool = False) -> dict[str, Any]:
    """The base keys and the requested attributes; `all` stands for all of them."""
    everything = "all" in attributes
    fields = {
        name: value
        for name, value in record.items()
        if not name.startswith("_") and name not in BASE_KEYS and name != LEGACY_ID
        if everything or name in attributes
    }
    legacy = {LEGACY_ID: record[LEGACY_ID]} if legacy_id and LEGACY_ID in record else {}
    return base_of(record) | legacy | fields


def with_texts(value: Any, name: str = "") -> Any:
    """Turn amounts into text, at any depth; other numbers stay numbers."""
    if isinstance(value, dict):
        return {key: with_texts(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, name) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(float(value)) if is_number and name in AMOUNTS else value
