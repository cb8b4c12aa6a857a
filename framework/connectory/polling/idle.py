"""Polls that find nothing become rarer, where an instance's configuration allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import duration_micros

if TYPE_CHECKING:
    from datetime import timedelta

    from ..records.summary import Summary
    from ..store.polls import PollRow

PATIENCE = 3
"""How many polls in a row find nothing before the first wait is doubled."""


def quiet_polls(poll: PollRow, summary: Summary) -> int:
    """How many polls in a row have announced nothing, this one included."""
    if summary.created or summary.updated or summary.deleted:
        return 0
    return poll.quiet + 1


def idle_interval(interval: int, quiet: int, longest: timedelta | None) -> int:
    """Microseconds to the next poll after `quiet` polls without a find."""
    if longest is None or quiet < PATIENCE:
        return interval
    ceiling = max(interval, duration_micros(longest))
    # Beyond this power any interval has met any ceiling, and the number would only grow.
    return min(interval << min(quiet - PATIENCE + 1, 32), ceiling)
