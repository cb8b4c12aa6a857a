"""The states in which a claim of a poll can end: the values that are written while the lease is given up. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backoff import delay_after
from ..clock import duration_micros, to_micros
from ..records.window import remembered_from
from ..schemas import IDLE_BACKOFF
from .idle import idle_interval, quiet_polls

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ..errors import ConnectoryError
    from ..store.polls import PollRow
    from .reading import Reading

SECOND = 1_000_000


def unchanged(poll: PollRow) -> dict[str, Any]:
    """The claim ends, and nothing else has changed."""
    return {
        "since": poll.since,
        "seen_from": poll.seen_from,
        "next_due_at": poll.next_due_at,
        "failures": poll.failures,
        "failure": poll.failure,
        "failed_at": poll.failed_at,
        "polled_at": poll.polled_at,
        "summary": poll.summary,
        "quiet": poll.quiet,
    }


def postponed(poll: PollRow, settle: timedelta, now: datetime) -> dict[str, Any]:
    """There is nothing to ask for yet, because no part of the window has settled."""
    wait = min(poll.interval, duration_micros(settle) + SECOND)
    return unchanged(poll) | {"next_due_at": to_micros(now) + wait}


def put_off(poll: PollRow, due: datetime, reason: str) -> dict[str, Any]:
    """The provider must not be called for this account now, so the poll is made later and covers the same time.

    This does not count as a failed poll: `failures` stays the same, and `failure` only shows the reason for the wait.
    """
    return unchanged(poll) | {"next_due_at": to_micros(due), "failure": reason}


def failed(poll: PollRow, error: ConnectoryError, reason: str, now: datetime) -> dict[str, Any]:
    """The poll failed and is tried again later; the cursor stays where it is."""
    wait = delay_after(poll.failures + 1, retry_after=getattr(error, "retry_after", None))
    return unchanged(poll) | {
        "next_due_at": to_micros(now + wait),
        "failures": poll.failures + 1,
        "failure": reason,
        "failed_at": to_micros(now),
    }


def covered(reading: Reading, now: datetime) -> dict[str, Any]:
    """The window was read to its end: the cursor moves there, and never back."""
    poll = reading.poll
    since = max(poll.since, reading.bounds.end)
    quiet = quiet_polls(poll, reading.summary)
    longest = reading.runtime.config[IDLE_BACKOFF]
    return {
        "since": since,
        "seen_from": remembered_from(poll, reading.plan, reading.bounds, since),
        "next_due_at": to_micros(now) + idle_interval(poll.interval, quiet, longest),
        "failures": 0,
        "failure": None,
        "failed_at": None,
        "polled_at": to_micros(now),
        "summary": reading.summary.as_dict(),
        "quiet": quiet,
    }
