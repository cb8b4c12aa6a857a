"""Which span of time a poll asks for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import duration_micros, from_micros, to_micros
from ..model import Window
from ..records.changes import Bounds

if TYPE_CHECKING:
    from datetime import datetime

    from ..plans.plan import Plan
    from ..store.polls import PollRow


def window_of(poll: PollRow, plan: Plan, provider_now: datetime) -> Window | None:
    """What to ask for; None where nothing has settled yet that was not asked for."""
    start = plan.floor(max(poll.since - duration_micros(plan.reach), poll.seen_from))
    end = plan.floor(to_micros(provider_now - plan.element.settle))
    if end < start:
        return None
    return Window(start=from_micros(start), end=from_micros(end))


def bounds_of(poll: PollRow, plan: Plan, window: Window, provider_now: datetime) -> Bounds:
    """A window by the provider's own clock, as its first answer shows it."""
    settled = plan.floor(to_micros(provider_now - plan.element.settle))
    return Bounds(
        start=to_micros(window.start),
        end=min(to_micros(window.end), settled),
        started=to_micros(provider_now),
        baseline=poll.polled_at is None,
    )
