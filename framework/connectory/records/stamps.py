"""Reads the dates of records. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import to_micros
from .identify import plain

if TYPE_CHECKING:
    from ..dates import Codec


@dataclass(kw_only=True, slots=True)
class Stamps:
    """Reads one date field of one poll's records. It parses each text once and remembers None for an unreadable one."""

    codec: Codec | None
    _known: dict[Any, int | None] = field(default_factory=dict)

    def micros(self, value: Any) -> int | None:
        value = plain(value)
        if value is None or value == "" or self.codec is None:
            return None
        try:
            return self._known[value]
        except KeyError:
            self._known[value] = micros = _parse(self.codec, value)
            return micros
        except TypeError:
            # The value is a list or an object, which cannot be looked up and is not a date.
            return None


def _parse(codec: Codec, value: Any) -> int | None:
    try:
        return to_micros(codec.parse(value))
    except (ValueError, TypeError, OverflowError):
        return None
