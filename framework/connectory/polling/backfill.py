"""Announces records of a span of time that were never announced, without moving the cursor.

A record counts as announced when its present version is that of its last event, or is remembered for the overlap. The
others go the way that a poll's finds go: judged by the same rules with the span as the window, and one transaction per
page. The poll's lease is held meanwhile, so that poll and backfill never number the events of one object at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import from_micros, to_micros
from ..deletions.search import Deletions
from ..errors import ConfigurationError
from ..instances.budget import holder_of
from ..instances.views import poll_of
from ..model import Window
from ..records.summary import Observer, Summary
from ..serialize import iso
from ..store import cursors, polls
from .covering import Covering, Ways
from .cursor import check_dated, refuse_held
from .poller import unchanged
from .scheduler import HEARTBEAT, POLL_LEASE, take_over

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..instances.parts import Parts
    from ..instances.runtime import Runtime
    from ..store.polls import PollRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Backfilled:
    """What a backfill announced, or would announce: counts of records. Both ends of the span are included."""

    instance_id: int
    resource: str
    start: datetime
    end: datetime
    dry_run: bool
    pages: int
    created: int
    updated: int
    seen: int
    outside: int
    hidden: int
    warnings: tuple[str, ...]


def backfill(
    parts: Parts,
    instance_id: int,
    resource: str,
    start: datetime,
    end: datetime | None = None,
    observer: Observer | None = None,
) -> Backfilled:
    """Announce what was never announced from `start` to `end`, which is by default where the cursor is."""
    window = window_between(parts, instance_id, resource, start, end)
    summary = _announce(parts, parts.runtimes.get(instance_id), resource, window, observer)
    return Backfilled(
        instance_id=instance_id,
        resource=resource,
        start=from_micros(summary.start),
        end=from_micros(summary.end),
        dry_run=False,
        pages=summary.pages,
        created=summary.created,
        updated=summary.updated,
        seen=summary.seen,
        outside=summary.before_window + summary.next_poll,
        hidden=summary.hidden,
        warnings=tuple(summary.warnings),
    )


def window_between(parts: Parts, instance_id: int, resource: str, start: datetime, end: datetime | None) -> Window:
    """The window of a backfill; a `ConfigurationError` where the span means nothing."""
    plan, poll = parts.runtimes.get(instance_id).plan(resource), poll_of(parts.database, instance_id, resource)
    check_dated(plan)
    last = to_micros(end) if end else poll.since
    window = Window(start=from_micros(plan.floor(to_micros(start))), end=from_micros(plan.floor(last)))
    if window.end < window.start:
        raise ConfigurationError(
            f"the span ends at {iso(window.end)}, before it starts at {iso(window.start)}",
            where="from",
            hint="without an end it goes up to the cursor; what is later is the next poll's",
        )
    if to_micros(start) > poll.since:
        raise ConfigurationError(
            f"the span starts at {iso(window.start)}, after the cursor, which is at {iso(from_micros(poll.since))}",
            where="from",
            hint="what is later than the cursor is the next poll's",
        )
    return window


def _announce(parts: Parts, runtime: Runtime, resource: str, window: Window, observer: Observer | None) -> Summary:
    take_over(parts.database, parts.process)
    poll = _lease(parts, runtime.row.id, resource)
    summary = Summary(instance_id=poll.instance_id, resource=resource, start=poll.since, end=poll.since)
    covering = Covering(
        parts.database,
        parts.clock,
        observer or Observer(),
        Deletions(parts.database, parts.clock),
        parts.snapshots_kept,
        threading.Event(),
    )
    keep = _keeper(parts)
    try:
        if runtime.budget is not None:
            runtime.budget.wait(holder_of(poll), keep)
        covering.cover(poll, runtime, window, summary, keep, _ways())
    except BaseException:
        _release(parts, poll)
        raise
    finally:
        if runtime.budget is not None:
            runtime.budget.leave(holder_of(poll))
    return summary


def _lease(parts: Parts, instance_id: int, resource: str) -> PollRow:
    now = parts.clock.now()
    with parts.database.write() as connection:
        poll = cursors.take(
            connection,
            instance_id,
            resource,
            owner=parts.owner,
            now=to_micros(now),
            until=to_micros(now + POLL_LEASE),
        )
    if poll is None:
        raise refuse_held(parts, instance_id, resource)
    return poll


def _release(parts: Parts, poll: PollRow) -> None:
    """Give the lease up where it is still ours; the poll goes on as if nothing had been."""
    with parts.database.write() as connection:
        cursors.give_up(connection, poll)


def _keeper(parts: Parts) -> Callable[[], None]:
    """Renews the lease between two pages, now and then."""
    renewed = parts.clock.now()

    def keep() -> None:
        nonlocal renewed
        now = parts.clock.now()
        if now - renewed >= HEARTBEAT:
            renewed = now
            with parts.database.write() as connection:
                polls.renew_leases(connection, parts.owner, to_micros(now + POLL_LEASE))

    return keep


def _ways() -> Ways:
    """A window of its own, which leaves the poll's state as it was."""
    return Ways(
        # A provider whose URL names no upper bound sends what came later as well.
        takes=lambda change, bounds: change.date is None or change.date <= bounds.end,
        finish=lambda connection, run: polls.finish(connection, run.poll, unchanged(run.poll)),
    )
