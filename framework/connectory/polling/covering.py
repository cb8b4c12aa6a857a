"""Reads one window of one resource: pages, classification, and one transaction per page.

A page's events, notifications, deliveries and `seen` rows are committed together, the cursor with the last page, and
each commit proves that the claim still stands.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..clock import duration_micros, to_micros
from ..http import PageTooHeavyError
from ..instances.budget import holder_of
from ..records.changes import Bounds, Change, Classifier, Finding
from ..records.fetch import FetchedPage, fetch, smaller
from ..records.fieldchanges import History, history_of
from ..records.outbox import Announced, Outbox
from ..schemas import IDLE_BACKOFF
from ..store import events, polls
from .idle import idle_interval, quiet_polls
from .window import bounds_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..deletions.search import Deletions
    from ..instances.runtime import Runtime
    from ..model import Window
    from ..plans.plan import Plan
    from ..records.fetch import Exchanger
    from ..records.summary import Observer, Summary
    from ..store.database import Database
    from ..store.polls import PollRow

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """How a window is read where it is not simply polled.

    `exchanger` asks instead of the instance's client. `classified` is shown the changes of each page, `takes` leaves
    some of them to a later poll, and `finish` ends the claim instead of moving the cursor.
    """

    exchanger: Exchanger | None = None
    classified: Callable[[Sequence[Change]], None] = lambda changes: None
    takes: Callable[[Change, Bounds], bool] = lambda change, bounds: True
    finish: Callable[[Connection, Run], None] | None = None


class Covering:
    """Covers windows of claimed polls. Last versions are kept for `snapshots_kept`, where changes are tracked.

    Once `stopping` is set, no page waits for its turn any longer.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        deletions: Deletions,
        snapshots_kept: timedelta,
        stopping: threading.Event,
    ) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        self._deletions = deletions
        self._snapshots_kept = snapshots_kept
        self._stopping = stopping

    def cover(
        self,
        poll: PollRow,
        runtime: Runtime,
        window: Window,
        summary: Summary,
        keep: Callable[[], None],
        ways: Ways | None = None,
    ) -> None:
        """Read one window and announce what is news in it."""
        ways = ways or Ways()
        plan = runtime.plan(poll.resource)
        history = history_of(plan, self._snapshots_kept)
        page_size = runtime.page_size(poll.resource)
        while True:
            try:
                run = Run(
                    poll=poll, plan=plan, runtime=runtime, summary=summary, window=window, history=history, ways=ways
                )
                self._read(run, page_size, keep)
            except PageTooHeavyError:
                half = smaller(page_size)
                if half is None:
                    raise
                log.warning("%s: a page of %d is too heavy, going on with %d", poll.resource, page_size, half)
                runtime.page_sizes[poll.resource] = page_size = half
                if runtime.budget is not None:
                    runtime.budget.wait(holder_of(poll), keep, self._stopping)
            else:
                return

    def _read(self, run: Run, page_size: int, keep: Callable[[], None]) -> None:
        for page in fetch(run.plan, run.window, run.ways.exchanger or run.runtime.client, page_size):
            if page.number == 1:
                run.begin(page, self._clock)
            self._take(run, page)
            keep()
            self._ask_budget(run, page, keep)
            # Or two pages would be held while the next one is read.
            del page

    def _ask_budget(self, run: Run, page: FetchedPage, keep: Callable[[], None]) -> None:
        budget = run.runtime.budget
        if budget is not None:
            budget.learn(page.response)
            if not page.last:
                budget.wait(holder_of(run.poll), keep, self._stopping)

    def _take(self, run: Run, page: FetchedPage) -> None:
        """Classify one page and commit what it holds."""
        found_changes = self._classify(run, page)
        run.ways.classified(found_changes)
        changes = [change for change in found_changes if run.ways.takes(change, run.bounds)]
        run.summary.next_poll += len(found_changes) - len(changes)
        run.count(page, changes)
        found: list[Announced] = []
        if changes or page.last:
            with self._database.write() as connection:
                if changes:
                    polls.hold(connection, run.poll)
                    found = self._announce(connection, run, page, changes)
                if page.last:
                    (run.ways.finish or self._finish)(connection, run)
        if found:
            self._observer.announced(found)
        self._observer.page_read(run.summary)

    def _classify(self, run: Run, page: FetchedPage) -> list[Change]:
        records, poll = page.records, run.poll
        ids = {object_id for object_id in records.ids if object_id is not None}
        if not ids:
            return []
        with self._database.read() as connection:
            seen = polls.seen_of(connection, poll, ids)
            unknown = ids - seen.keys()
            before = events.last_of(connection, poll.instance_id, poll.resource, unknown) if unknown else {}
        changes = run.sort_out(page, seen, before)
        if run.history is None or not changes:
            return changes
        with self._database.read() as connection:
            return run.history.compare(connection, poll, changes, run.plan.raws(page.response.body))

    def _announce(
        self, connection: Connection, run: Run, page: FetchedPage, changes: Sequence[Change]
    ) -> list[Announced]:
        polls.put_seen(connection, [_seen_row(run.poll, change) for change in changes])
        self._deletions.remember(connection, run.poll, run.plan, changes)
        news = [change for change in changes if change.finding in {Finding.CREATED, Finding.UPDATED}]
        if not news and run.history is None:
            return []
        raws = run.plan.raws(page.response.body)
        if run.history is not None:
            run.history.remember(connection, run.poll, changes, raws, self._clock.now())
        return run.outbox.publish(connection, news, raws, self._clock.now()) if news else []

    def _finish(self, connection: Connection, run: Run) -> None:
        poll, now = run.poll, self._clock.now()
        since = max(poll.since, run.bounds.end)
        if poll.failures:
            log.info("poll of %s of instance %s works again", poll.resource, poll.instance_id)
        quiet = quiet_polls(poll, run.summary)
        keep = max(poll.seen_from, min(run.bounds.start, since - duration_micros(run.plan.reach)))
        polls.finish(
            connection,
            poll,
            {
                "since": since,
                "seen_from": keep,
                "next_due_at": to_micros(now) + idle_interval(poll.interval, quiet, run.runtime.config[IDLE_BACKOFF]),
                "failures": 0,
                "failure": None,
                "failed_at": None,
                "polled_at": to_micros(now),
                "summary": run.summary.as_dict(),
                "quiet": quiet,
            },
        )
        if run.summary.records:
            polls.prune_seen(connection, poll, keep)
        if run.history is not None:
            run.history.prune(connection, poll, now)


@dataclass(kw_only=True)
class Run:
    """One attempt at one window."""

    poll: PollRow
    plan: Plan
    runtime: Runtime
    summary: Summary
    window: Window
    history: History | None
    ways: Ways
    bounds: Bounds = field(init=False)
    classifier: Classifier = field(init=False)

    @property
    def outbox(self) -> Outbox:
        return Outbox(sender=self.runtime.sender, resource=self.poll.resource, subscriptions=self.runtime.subscriptions)

    def begin(self, page: FetchedPage, clock: Clock) -> None:
        """Fix the window by the provider's own clock, as the first answer shows it."""
        now = clock.now()
        self.runtime.see_clock(page.response.date, now)
        self.bounds = bounds_of(self.poll, self.plan, self.window, self.runtime.provider_now(now))
        self.classifier = Classifier(plan=self.plan, bounds=self.bounds)
        self.summary.start, self.summary.end = self.bounds.start, self.bounds.end

    def sort_out(
        self, page: FetchedPage, seen: dict[str, polls.Seen], before: dict[str, tuple[int, str]]
    ) -> list[Change]:
        """The records of a page that are news, or are to be remembered; the others are counted."""
        records, classify = page.records, self.classifier.classify
        known = {key: (row.sequence, row.version) for key, row in seen.items()} | before
        changes: list[Change] = []
        for row, (object_id, version) in enumerate(zip(records.ids, records.versions, strict=True)):
            if object_id is None:
                continue
            last = known.get(object_id)
            if last is not None and last[1] == version:
                self.summary.seen += 1
                continue
            change = classify(row, records.rows[row], object_id, version, last)
            if change.finding is Finding.BEFORE_WINDOW:
                self.summary.before_window += 1
            elif change.finding is Finding.NEXT_POLL:
                self.summary.next_poll += 1
            else:
                known[object_id] = (change.sequence, version)
                changes.append(change)
        return changes

    def count(self, page: FetchedPage, changes: Sequence[Change]) -> None:
        summary = self.summary
        summary.pages += 1
        summary.records += len(page.records.ids)
        summary.hidden += len(page.records.ids) - page.records.usable
        for change in changes:
            if change.finding is Finding.CREATED:
                summary.created += 1
            elif change.finding is Finding.UPDATED:
                summary.updated += 1
            elif change.finding is Finding.IGNORED:
                summary.ignored += 1
            else:
                summary.baseline += 1
            if change.date is None and change.finding is Finding.UPDATED:
                summary.warnings.append(change.reason)


def _seen_row(poll: PollRow, change: Change) -> polls.SeenTuple:
    # A baseline is remembered without an event, so the object's first event keeps the number 1.
    sequence = 0 if change.finding is Finding.BASELINE else change.sequence
    return poll.instance_id, poll.resource, change.object_id, change.version, sequence, change.date
