"""How a provider reads the lower bound of a poll."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """How a provider reads the lower bound of a poll, such as `updated > '2026-03-01 12:34:56'`.

    `comparison` is `strict` if a record whose stamp equals the bound may be left out, and `inclusive` if the provider
    promises to list it. `unit` is the step in which the provider stores or compares stamps, if that is coarser than
    the pattern in the poll URL. `zone` is the time zone of a `${date:...}` slot: the provider reads a bound that names
    no zone as local time of this zone.

    >>> second, minute = timedelta(seconds=1), timedelta(minutes=1)
    >>> Bound().step_back(second) == Bound(comparison="strict").step_back(second) == second
    True
    >>> Bound(comparison="inclusive").step_back(second), Bound(unit=minute).step_back(second)
    (datetime.timedelta(0), datetime.timedelta(seconds=60))
    """

    comparison: Literal["strict", "inclusive"] = "strict"
    unit: timedelta = timedelta(0)
    zone: str = "UTC"

    def step_back(self, written: timedelta) -> timedelta:
        """How far before a window's start the bound must lie, if it is written in steps of `written`.

        The bound and the stamps are cut to their units, so `>` on an equal text would lose the records that share it.
        """
        if self.comparison == "inclusive" and self.unit <= written:
            return timedelta(0)
        return max(self.unit, written)
