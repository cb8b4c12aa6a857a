"""Which span of time is asked for, and which dates belong to it. Pure: no I/O, no clock.

All arithmetic with windows is here; the settle time and the overlap are the element's (`model/element.py`). Plain
numbers are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import duration_micros, from_micros, to_micros
from ..model import Window

if TYPE_CHECKING:
    from datetime import datetime

    from ..plans.plan import Plan
    from ..store.polls import PollRow

HOUR = 3_600_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """A window by the provider's own clock. `started` is the provider's time at the first answer of the poll.

    `baseline` is True for the first poll of records without dates: they are remembered, not announced.
    """

    start: int
    end: int
    started: int
    baseline: bool = False


def window_of(poll: PollRow, plan: Plan, provider_now: datetime) -> Window | None:
    """The window that the next poll reads; None if no more time has settled since the last poll."""
    start = plan.floor(max(_start_for(plan, poll.since), poll.seen_from))
    end = settled_at(plan, provider_now)
    return None if end < start else _window(start, end)


def window_between(plan: Plan, start: int, end: int) -> Window:
    """The window of a span that a person chose, from the earliest stamp that may belong to it."""
    return _window(plan.floor(start), plan.floor(end))


def log_window(plan: Plan, *, since: int, tracked_from: int, overlap: int, provider_now: datetime) -> Window:
    """The window to read of a deletion log. It never starts before `tracked_from`, and never ends before `since`.

    `tracked_from` is the moment from which deletions are announced: no earlier entry of the log is read.
    """
    return _window(max(since - overlap, tracked_from), log_settled_at(plan, since, provider_now))


def log_settled_at(plan: Plan, since: int, provider_now: datetime) -> int:
    return max(since, to_micros(provider_now - plan.element.settle))


def bounds_of(poll: PollRow, plan: Plan, window: Window, provider_now: datetime) -> Bounds:
    """The window's bounds, with the provider's clock as its first answer showed it."""
    return Bounds(
        start=to_micros(window.start),
        end=min(to_micros(window.end), settled_at(plan, provider_now)),
        started=to_micros(provider_now),
        baseline=poll.polled_at is None,
    )


def settled_at(plan: Plan, provider_now: datetime) -> int:
    """The moment up to which the provider shows all changes by now."""
    return plan.floor(to_micros(provider_now - plan.element.settle))


def remembered_from(poll: PollRow, plan: Plan, bounds: Bounds, since: int) -> int:
    """How far back versions must be remembered once the cursor has moved to `since`: no window may start earlier."""
    return max(poll.seen_from, min(bounds.start, _start_for(plan, since)))


def earliest_accepted(plan: Plan, start: int) -> int:
    """The earliest date that a window accepts.

    A local date from the night when clocks are put back may be read an hour too early; see `dates.Codec`.
    """
    return start - plan.ambiguity


def earliest_credible(plan: Plan, start: int) -> int:
    """The earliest date that can come from a provider that applied the filter.

    Two units: the request may ask from one unit before the start, and cutting that moment to the unit takes away up to
    one more. Two hours: in the night when a zone's clock is put back, one hour of local time occurs twice. The provider
    may read the bound as the first of the two hours, and a stamp of the second hour may be read as one of the first.
    """
    return start - 2 * duration_micros(plan.unit) - 2 * HOUR


def _start_for(plan: Plan, since: int) -> int:
    return since - duration_micros(plan.reach)


def _window(start: int, end: int) -> Window:
    return Window(start=from_micros(start), end=from_micros(end))
