"""Turns results into JSON values, in the one form that the command line, the API and the console use.

Names of dataclass fields become camelCase, and keys of mappings do not change. Moments are ISO 8601 in UTC with `Z`,
durations are in seconds, secrets are masked, and bytes become text. A field with `metadata=HIDDEN` is left out.

>>> from dataclasses import dataclass
>>> @dataclass
... class Span:
...     started_at: datetime
...     total_time: timedelta
>>> as_json(Span(datetime(2026, 1, 31, tzinfo=UTC), timedelta(minutes=2)))
{'startedAt': '2026-01-31T00:00:00Z', 'totalTime': 120.0}
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .secrets import MASK, Secret

HIDDEN: Mapping[str, Any] = {"json": False}
"""The metadata of a dataclass field that is left out."""


def as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {shown: as_json(getattr(value, name)) for name, shown in _names(type(value))}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value


def iso(moment: datetime) -> str:
    """`2026-01-31T10:00:00Z`: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@functools.cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields of a dataclass with their names in JSON."""
    shown = (field.name for field in dataclasses.fields(kind) if field.metadata.get("json", True))
    return tuple((name, camel(name)) for name in shown)


def camel(name: str) -> str:
    """`created_at` as `createdAt`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
