"""Which value each `${...}` of a poll URL got, read back from the rendered URL: a plugin may have filled them in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..dates import EPOCH
from ..templates import parse_template

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

    from ..templates import Slot


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledSlot:
    """`moment` is what the value says, None where there is no value or it cannot be read back."""

    text: str
    value: str | None
    moment: datetime | None
    unit: timedelta
    zone: tzinfo | None


def slots_of(template: str, rendered: str) -> list[FilledSlot]:
    parsed = parse_template(template)
    pattern, done = "", 0
    for slot in parsed.slots:
        pattern += re.escape(template[done : slot.position]) + "(.*?)"
        done = slot.end
    match = re.fullmatch(pattern + re.escape(template[done:]), rendered, re.DOTALL)
    values = match.groups() if match else (None,) * len(parsed.slots)
    return [
        FilledSlot(
            text=template[slot.position : slot.end],
            value=value,
            moment=_moment(slot, value),
            unit=slot.unit,
            zone=slot.codec.timezone if slot.codec else None,
        )
        for slot, value in zip(parsed.slots, values, strict=True)
    ]


def _moment(slot: Slot, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return slot.codec.parse(value) if slot.codec else EPOCH + int(value) * slot.unit
    except (ValueError, OverflowError):
        return None
