"""Announces records of a span of time that were never announced, without moving the cursor.

A record counts as announced when its present version is that of its last event, or is remembered for the overlap. The
others go the way that a poll's finds go: judged by the same rules with the span as the window, and one transaction per
page. The poll's lease is held meanwhile, so that poll and backfill never number the events of one object at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..clock import from_micros, to_micros
from ..errors import ConfigurationError
from ..model import Window
from ..store import cursors, polls
from .budget import holder_of
from .cursor import check_dated, refuse_held
from .explain import Case, examine, live_case, poll_of
from .explanation import iso
from .poller import Observer, Poller, Summary, unchanged
from .scheduler import HEARTBEAT, LEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from ..store.polls import PollRow
    from .changes import Change
    from .engine import Engine
    from .fetch import FetchedPage
    from .plan import Plan
    from .poller import Run
    from .runtime import Runtime


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

    def as_dict(self) -> dict[str, Any]:
        return {
            "instance": self.instance_id,
            "resource": self.resource,
            "from": iso(self.start),
            "to": iso(self.end),
            "dryRun": self.dry_run,
            "pages": self.pages,
            "announced": {"CREATED": self.created, "UPDATED": self.updated},
            "announcedBefore": self.seen,
            "outside": self.outside,
            "hidden": self.hidden,
            "warnings": list(self.warnings),
        }


def backfill(
    engine: Engine,
    instance_id: int,
    resource: str,
    start: datetime,
    end: datetime | None = None,
    *,
    dry_run: bool = False,
    observer: Observer | None = None,
) -> Backfilled:
    """Announce what was never announced from `start` to `end`, which is by default where the cursor is.

    A dry run asks the provider and counts, and writes nothing.
    """
    runtime = engine.runtimes.get(instance_id)
    plan = runtime.plan(resource)
    check_dated(plan)
    window = _window(plan, poll_of(engine.database, instance_id, resource), start, end)
    if dry_run:
        return _counted(live_case(engine, instance_id, resource, window=window), window)
    summary = _announce(engine, runtime, resource, window, observer)
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


def _window(plan: Plan, poll: PollRow, start: datetime, end: datetime | None) -> Window:
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


def _counted(case: Case, window: Window) -> Backfilled:
    found = examine(case)
    if found.error is not None:
        raise found.error
    totals: Mapping[str, int] = found.totals
    return Backfilled(
        instance_id=case.poll.instance_id,
        resource=case.poll.resource,
        start=found.start or window.start,
        end=found.end or window.end,
        dry_run=True,
        pages=len(found.pages),
        created=totals.get("created", 0),
        updated=totals.get("updated", 0),
        seen=totals.get("seen", 0),
        outside=totals.get("before the window", 0) + totals.get("left to the next poll", 0),
        hidden=totals.get("hidden", 0),
        warnings=tuple(record.reason for record in found.records if record.updated is None and record.sequence),
    )


def _announce(engine: Engine, runtime: Runtime, resource: str, window: Window, observer: Observer | None) -> Summary:
    engine.scheduler().take_over()
    poll = _lease(engine, runtime.row.id, resource)
    summary = Summary(instance_id=poll.instance_id, resource=resource, start=poll.since, end=poll.since)
    kept = timedelta(days=engine.settings.snapshot_days)
    filler = _Backfiller(engine.database, engine.runtimes, engine.clock, observer, kept)
    keep = _keeper(engine)
    try:
        if runtime.budget is not None:
            runtime.budget.wait(holder_of(poll), keep)
        filler.cover(poll, runtime, window, summary, keep)
    except BaseException:
        _release(engine, poll)
        raise
    finally:
        if runtime.budget is not None:
            runtime.budget.leave(holder_of(poll))
    return summary


def _lease(engine: Engine, instance_id: int, resource: str) -> PollRow:
    now = engine.clock.now()
    with engine.database.write() as connection:
        poll = cursors.take(
            connection,
            instance_id,
            resource,
            owner=engine.owner.name,
            now=to_micros(now),
            until=to_micros(now + LEASE),
        )
    if poll is None:
        raise refuse_held(engine, instance_id, resource)
    return poll


def _release(engine: Engine, poll: PollRow) -> None:
    """Give the lease up where it is still ours; the poll goes on as if nothing had been."""
    with engine.database.write() as connection:
        cursors.give_up(connection, poll)


def _keeper(engine: Engine) -> Callable[[], None]:
    """Renews the lease between two pages, now and then."""
    renewed = engine.clock.now()

    def keep() -> None:
        nonlocal renewed
        now = engine.clock.now()
        if now - renewed >= HEARTBEAT:
            renewed = now
            with engine.database.write() as connection:
                polls.renew_leases(connection, engine.owner.name, to_micros(now + LEASE))

    return keep


class _Backfiller(Poller):
    """A poll of a window of its own, which leaves the poll's state as it was."""

    def _classify(self, run: Run, page: FetchedPage) -> list[Change]:
        found = super()._classify(run, page)
        # A provider whose URL names no upper bound sends what came later as well.
        inside = [change for change in found if change.date is None or change.date <= run.bounds.end]
        run.summary.next_poll += len(found) - len(inside)
        return inside

    def _finish(self, connection: Connection, run: Run) -> None:
        polls.finish(connection, run.poll, unchanged(run.poll))
