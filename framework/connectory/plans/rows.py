"""Decodes pages: builds only the fields that a poll reads, and gives the accessors that read them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..path import Path, is_index

if TYPE_CHECKING:
    from collections.abc import Iterable

Accessor = Callable[[Any], Any]
"""Reads one field of a decoded row; None if the record has no such field."""


def row_decoder(paths: Iterable[Path], records_path: Path) -> tuple[Callable[[bytes], list[Any]], dict[Path, Accessor]]:
    """A decoder of a page's body into rows, and one accessor for each path.

    A row holds the first step of each path only; the accessors follow the rest of the path.
    """
    wanted = list(dict.fromkeys(paths))
    heads = list(dict.fromkeys(path.head for path in wanted))
    row = msgspec.defstruct(
        "Row",
        [(f"f{number}", Any, None) for number in range(len(heads))],
        rename={f"f{number}": head for number, head in enumerate(heads)},
        gc=False,
    )
    accessors = {path: _accessor(f"f{heads.index(path.head)}", path.rest) for path in wanted}
    return _list_decoder(row, records_path), accessors


def raw_decoder(records_path: Path) -> Callable[[bytes], list[msgspec.Raw]]:
    """A decoder of a page's body into the bytes of its records."""
    return _list_decoder(msgspec.Raw, records_path)


def no_field(_row: Any) -> None:
    """The accessor to use if the entry does not name the field: no row has a value for it."""


def _accessor(attribute: str, rest: Path) -> Accessor:
    if not rest.steps:
        return operator.attrgetter(attribute)

    def dig(row: Any) -> Any:
        return rest.find(getattr(row, attribute))

    return dig


def _list_decoder(item: Any, records_path: Path) -> Callable[[bytes], list[Any]]:
    """Decodes the list at `records_path` of a body; a missing list is an empty one."""
    kind: Any = list[item]
    for step in reversed(records_path.steps):
        if is_index(step):
            kind = list[kind | None]
        else:
            kind = msgspec.defstruct("Body", [("content", kind | None, None)], rename={"content": step})
    decoder = msgspec.json.Decoder(kind)

    def decode(body: bytes) -> list[Any]:
        value = decoder.decode(body)
        for step in records_path.steps:
            if value is None:
                break
            value = _inside(value, step)
        return value or []

    return decode


def _inside(value: Any, step: str) -> Any:
    if not isinstance(value, list):
        return value.content
    return value[int(step)] if int(step) < len(value) else None
