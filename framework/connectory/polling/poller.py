"""Runs one claimed poll: window, pages, classification, and one transaction per page.

Nothing is lost and nothing is announced twice, whatever dies when: a page's events, notifications, deliveries and
`seen` rows are committed together, the cursor with the last page, and each commit proves that the claim still stands.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..backoff import delay_after
from ..clock import from_micros, to_micros
from ..deletions.search import Deletions
from ..errors import AuthenticationError, ConnectoryError, StaleLeaseError
from ..http import PageTooHeavyError
from ..instances import lostlogin
from ..instances.budget import comes_back, holder_of
from ..model import Window
from ..records.changes import Bounds, Change, Classifier, Finding
from ..records.fetch import FetchedPage, fetch, smaller
from ..records.fieldchanges import History, history_of
from ..records.outbox import Announced, Outbox
from ..schemas import IDLE_BACKOFF
from ..serialize import camel
from ..store import events, instances, polls
from .idle import idle_interval, quiet_polls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..deletions.job import Exchange
    from ..instances.budget import Pause
    from ..instances.runtime import Runtime, Runtimes
    from ..model import Request, Response, Verdict
    from ..plans.plan import Plan
    from ..store.database import Database
    from ..store.polls import PollRow

log = logging.getLogger(__name__)

SECOND = 1_000_000


@dataclass(kw_only=True, slots=True)
class Summary:
    """What a poll did; the counts are of records."""

    instance_id: int
    resource: str
    start: int
    end: int
    pages: int = 0
    records: int = 0
    created: int = 0
    updated: int = 0
    seen: int = 0
    before_window: int = 0
    next_poll: int = 0
    baseline: int = 0
    hidden: int = 0
    ignored: int = 0
    deleted: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None
    error: ConnectoryError | None = None
    duration: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the store and for people: moments as ISO text, counts that are zero left out."""
        return {
            "from": from_micros(self.start).isoformat(),
            "until": from_micros(self.end).isoformat(),
            **{camel(name): getattr(self, name) for name in _COUNTS if getattr(self, name)},
            **({"warnings": self.warnings[:10]} if self.warnings else {}),
            **({"failure": self.failure} if self.failure else {}),
            "seconds": round(self.duration, 3),
        }


_COUNTS = (
    "pages",
    "records",
    "created",
    "updated",
    "deleted",
    "seen",
    "before_window",
    "next_poll",
    "baseline",
    "hidden",
    "ignored",
)


class Observer:
    """Watches the engine; each method may be left as it is. They are called from worker threads."""

    def announced(self, found: Sequence[Announced]) -> None: ...

    def page_read(self, summary: Summary) -> None: ...

    def polled(self, summary: Summary) -> None: ...


class Poller:
    """Runs polls that somebody has claimed. Last versions are kept for `snapshots_kept`, where changes are tracked."""

    def __init__(
        self,
        database: Database,
        runtimes: Runtimes,
        clock: Clock,
        observer: Observer | None = None,
        snapshots_kept: timedelta = timedelta(days=90),
    ) -> None:
        self._database = database
        self._runtimes = runtimes
        self._clock = clock
        self._observer = observer or Observer()
        self._deletions = Deletions(database, clock)
        self._snapshots_kept = snapshots_kept
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let no poll wait for its turn any longer; what needs no waiting is ended."""
        self._stopping.set()

    def run(self, poll: PollRow, keep: Callable[[], None] = lambda: None) -> Summary:
        """Poll, and end the claim: the state that it leaves says how it went. Never raises for a failing provider.

        `keep` is called after each page: it renews the lease where that is due.
        """
        started = self._clock.now()
        summary = Summary(instance_id=poll.instance_id, resource=poll.resource, start=poll.since, end=poll.since)
        runtime: Runtime | None = None
        try:
            runtime = self._runtimes.get(poll.instance_id, poll.instance_version)
            self._run(poll, runtime, summary, keep)
        except StaleLeaseError as error:
            log.info("%s", error.message)
            summary.failure, summary.error = error.message, error
        except ConnectoryError as error:
            self._fail(poll, runtime, summary, error)
        summary.duration = (self._clock.now() - started).total_seconds()
        self._observer.polled(summary)
        plan = runtime.plans.get(poll.resource) if runtime is not None else None
        if runtime is not None and plan is not None:
            plan.plugins.poll_finished(plan.element, runtime.row, plan.resource, summary.as_dict())
        return summary

    def _run(self, poll: PollRow, runtime: Runtime, summary: Summary, keep: Callable[[], None]) -> None:
        if runtime.row.state != instances.ACTIVE:
            # It was paused, or lost its login, after it was claimed.
            self._give_back(poll)
            return
        if runtime.budget is None:
            self._poll(poll, runtime, summary, keep)
            return
        pause = runtime.budget.take(holder_of(poll))
        if pause is not None:
            self._put_off(poll, summary, pause)
            return
        try:
            self._poll(poll, runtime, summary, keep)
        finally:
            runtime.budget.leave(holder_of(poll))

    def _poll(self, poll: PollRow, runtime: Runtime, summary: Summary, keep: Callable[[], None]) -> None:
        plan = runtime.plan(poll.resource)
        window = window_of(poll, plan, runtime.provider_now(self._clock.now()))
        if window is None:
            self._postpone(poll, plan)
            return
        exchange = self._in_turn(poll, runtime, keep)
        self._deletions.search(poll, runtime, summary, exchange=exchange, watch=self._observer.announced)
        self.cover(poll, runtime, window, summary, keep)

    def _in_turn(self, poll: PollRow, runtime: Runtime, keep: Callable[[], None]) -> Exchange:
        """Asks for what is not the window's, within the account's budget and under the poll's lease."""

        def exchange(request: Request) -> tuple[Response, Verdict]:
            if runtime.budget is not None:
                runtime.budget.wait(holder_of(poll), keep, self._stopping)
            response, verdict = runtime.client.exchange(request)
            runtime.see_clock(response.date, self._clock.now())
            if runtime.budget is not None:
                runtime.budget.learn(response)
            keep()
            return response, verdict

        return exchange

    def cover(
        self, poll: PollRow, runtime: Runtime, window: Window, summary: Summary, keep: Callable[[], None]
    ) -> None:
        """Read one window and announce what is news in it."""
        plan = runtime.plan(poll.resource)
        history = history_of(plan, self._snapshots_kept)
        page_size = runtime.page_sizes.get(poll.resource) or plan.entry.page_size or plan.element.page_size
        while True:
            try:
                run = Run(poll=poll, plan=plan, runtime=runtime, summary=summary, window=window, history=history)
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
        for page in fetch(run.plan, run.window, run.runtime.client, page_size):
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
        changes = self._classify(run, page)
        run.count(page, changes)
        found: list[Announced] = []
        if changes or page.last:
            with self._database.write() as connection:
                if changes:
                    polls.hold(connection, run.poll)
                    found = self._announce(connection, run, page, changes)
                if page.last:
                    self._finish(connection, run)
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
        keep = max(poll.seen_from, min(run.bounds.start, since - _micros(run.plan.reach)))
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
                "summary": run.summary.as_dict() | {"quiet": quiet},
            },
        )
        if run.summary.records:
            polls.prune_seen(connection, poll, keep)
        if run.history is not None:
            run.history.prune(connection, poll, now)

    def _postpone(self, poll: PollRow, plan: Plan) -> None:
        """There is nothing to ask yet: the window that has settled ends before it starts."""
        wait = min(poll.interval, _micros(plan.element.settle) + SECOND)
        with self._database.write() as connection:
            polls.finish(connection, poll, unchanged(poll) | {"next_due_at": to_micros(self._clock.now()) + wait})

    def _give_back(self, poll: PollRow) -> None:
        with self._database.write() as connection:
            polls.finish(connection, poll, unchanged(poll))

    def _put_off(self, poll: PollRow, summary: Summary, pause: Pause) -> None:
        """The account may not be asked now. That is no failure of the poll, and its next one covers the gap."""
        summary.failure = pause.reason
        due = to_micros(comes_back(pause, self._clock.now()))
        with self._database.write() as connection:
            polls.finish(connection, poll, unchanged(poll) | {"next_due_at": due, "failure": pause.reason})

    def _fail(self, poll: PollRow, runtime: Runtime | None, summary: Summary, error: ConnectoryError) -> None:
        """Write down what went wrong and when to try again; the cursor stays where it is."""
        summary.failure, summary.error = str(error), error
        now = self._clock.now()
        wait = delay_after(poll.failures + 1, retry_after=getattr(error, "retry_after", None))
        if not poll.failures:
            log.warning("poll of %s of instance %s failed: %s", poll.resource, poll.instance_id, error)
        with self._database.write() as connection:
            polls.finish(
                connection,
                poll,
                unchanged(poll)
                | {
                    "next_due_at": to_micros(now + wait),
                    "failures": poll.failures + 1,
                    "failure": str(error),
                    "failed_at": to_micros(now),
                },
            )
            if isinstance(error, AuthenticationError):
                version = None if runtime is None else runtime.row.version
                lostlogin.lose(connection, poll.instance_id, version, error, now)
        if runtime is not None and runtime.budget is not None:
            runtime.budget.refused(error)


@dataclass(kw_only=True)
class Run:
    """One attempt at one window."""

    poll: PollRow
    plan: Plan
    runtime: Runtime
    summary: Summary
    window: Window
    history: History | None = None
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


def window_of(poll: PollRow, plan: Plan, provider_now: datetime) -> Window | None:
    """What to ask for; None where nothing has settled yet that was not asked for."""
    start = plan.floor(max(poll.since - _micros(plan.reach), poll.seen_from))
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


def _micros(duration: timedelta) -> int:
    return round(duration.total_seconds() * SECOND)


def unchanged(poll: PollRow) -> dict[str, Any]:
    return {
        "since": poll.since,
        "seen_from": poll.seen_from,
        "next_due_at": poll.next_due_at,
        "failures": poll.failures,
        "failure": poll.failure,
        "failed_at": poll.failed_at,
        "polled_at": poll.polled_at,
        "summary": poll.summary,
    }


def _seen_row(poll: PollRow, change: Change) -> polls.SeenTuple:
    # A baseline is remembered without an event, so the object's first event keeps the number 1.
    sequence = 0 if change.finding is Finding.BASELINE else change.sequence
    return poll.instance_id, poll.resource, change.object_id, change.version, sequence, change.date
