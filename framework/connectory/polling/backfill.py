"""Announces records of a span of time that were never announced, without moving the cursor.

A record counts as announced if its present version is that of its last event, or is remembered for the overlap. The
other records are treated as a poll treats them: the same rules, with the span as the window, and one transaction per
page. The backfill holds the poll's lease, so that a poll never numbers events of the same objects at the same time.
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
from ..records.summary import Observer, Summary
from ..records.window import window_between
from ..serialize import iso
from ..store import cursors, polls
from .covering import Covering
from .cursor import check_dated, refuse_held
from .endings import unchanged
from .leases import POLL_LEASE, Heartbeat, take_over
from .reading import Ways

if TYPE_CHECKING:
    from datetime import datetime

    from ..instances.parts import Parts
    from ..instances.runtime import Runtime
    from ..model import Window
    from ..store.polls import PollRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Backfilled:
    """What a backfill announced, or would announce, in counts of records. The span includes both ends."""

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
    """Announce what was never announced from `start` to `end`. The default end is the cursor."""
    window = backfill_window(parts, instance_id, resource, start, end)
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


def backfill_window(parts: Parts, instance_id: int, resource: str, start: datetime, end: datetime | None) -> Window:
    """The window of a backfill, or a `ConfigurationError` if the span cannot be read."""
    plan, poll = parts.runtimes.get(instance_id).plan(resource), poll_of(parts.database, instance_id, resource)
    check_dated(plan)
    window = window_between(plan, to_micros(start), to_micros(end) if end else poll.since)
    if window.end < window.start:
        raise ConfigurationError(
            f"the span ends at {iso(window.end)}, before it starts at {iso(window.start)}",
            where="from",
            hint="the default end is the cursor; the next poll reads what is later",
        )
    if to_micros(start) > poll.since:
        raise ConfigurationError(
            f"the span starts at {iso(window.start)}, after the cursor, which is at {iso(from_micros(poll.since))}",
            where="from",
            hint="the next poll reads what is later than the cursor",
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
    keep = Heartbeat(parts.database, parts.clock, parts.process)
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
    """Give the lease up if it is still ours. The poll's state stays the same."""
    with parts.database.write() as connection:
        cursors.give_up(connection, poll)


def _ways() -> Ways:
    """How a backfill reads its window: the poll's state stays the same."""
    return Ways(
        # A poll URL without an upper bound gets later records as well.
        takes=lambda change, bounds: change.date is None or change.date <= bounds.end,
        finish=lambda connection, reading: polls.finish(connection, reading.poll, unchanged(reading.poll)),
    )
