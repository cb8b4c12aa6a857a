"""Reads the moments and durations that people type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", re.IGNORECASE)
_LONGEST = 366 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str, option: str, unit: str) -> float:
    """A duration such as 30s, 5m or 1h in seconds. A number without a unit is in `unit`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ConfigurationError(f"{text!r} is not a valid duration", where=option, hint="use e.g. 30s, 5m or 1h")
    seconds = float(match[1]) * _SECONDS[(match[2] or unit).lower()]
    if seconds > _LONGEST:
        raise ConfigurationError(f"{text!r} is longer than a year", where=option, hint="use 366 days at most")
    return seconds


def moment_of(text: str, option: str) -> datetime:
    """An ISO date-time as aware UTC; one without an offset is read as UTC."""
    from ..schemas import MOMENT_RANGE, parse_moment

    try:
        return parse_moment(text)
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is not a valid date",
            where=option,
            hint=f"use e.g. 2026-01-31T00:00:00Z, {MOMENT_RANGE}",
        ) from None
