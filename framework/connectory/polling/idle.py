"""Polls less often while polls find nothing, if the instance's configuration allows it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import duration_micros

if TYPE_CHECKING:
    from datetime import timedelta

    from ..records.summary import Summary
    from ..store.polls import PollRow

PATIENCE = 3
"""Once this many polls in a row have found nothing, each such poll doubles the wait."""


def quiet_polls(poll: PollRow, summary: Summary) -> int:
    """How many polls in a row have announced nothing, including this one."""
    if summary.created or summary.updated or summary.deleted:
        return 0
    return poll.quiet + 1


def idle_interval(interval: int, quiet: int, longest: timedelta | None) -> int:
    """Microseconds until the next poll, after `quiet` polls in a row that found nothing."""
    if longest is None or quiet < PATIENCE:
        return interval
    ceiling = max(interval, duration_micros(longest))
    # No interval stays below its ceiling after 32 doublings; without this limit the number would grow for ever.
    return min(interval << min(quiet - PATIENCE + 1, 32), ceiling)
