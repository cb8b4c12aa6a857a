"""Dates in records of the Table API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from connectory.dates import compile_pattern, parse_timezone

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

    from connectory.dates import DateCodec


@dataclass(frozen=True, slots=True)
class StampCodec:
    """A pattern for stored values, which are UTC whatever zone a poller entry names.

    The documented entry for incidents names PST, which is the zone of the display values. A poll reads stored values,
    so the zone would move every stamp by hours.
    """

    codec: DateCodec
    warnings: tuple[str, ...]

    @property
    def unit(self) -> timedelta:
        return self.codec.unit

    @property
    def ambiguity(self) -> timedelta:
        return self.codec.ambiguity

    @property
    def timezone(self) -> tzinfo:
        return UTC

    def parse(self, value: object, /) -> datetime:
        """Accepts `{"value": ..., "display_value": ...}` as well, and reads its value."""
        if isinstance(value, Mapping):
            if "value" not in value:
                raise ValueError("this is a display value, whose time zone is not known: ask for stored values")
            value = value["value"]
        return self.codec.parse(value)

    def format(self, moment: datetime, /) -> str:
        return self.codec.format(moment)


def stamp_codec(pattern: str, timezone: str | None) -> StampCodec:
    codec = compile_pattern(pattern, UTC)
    warnings = codec.warnings
    if parse_timezone(timezone) is not UTC:
        warnings += (f"the time zone {timezone} is not applied: ServiceNow's stored dates are UTC in every instance",)
    return StampCodec(codec, warnings)
