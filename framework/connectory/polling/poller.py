"""Runs one claimed poll: window, pages, classification, and one transaction per page.

Nothing is lost and nothing is announced twice, whatever dies when: a page's events, notifications, deliveries and
`seen` rows are committed together, the cursor with the last page, and each commit proves that the claim still stands.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..backoff import delay_after
from ..clock import duration_micros, to_micros
from ..deletions.search import Deletions
from ..errors import AuthenticationError, ConnectoryError, StaleLeaseError
from ..instances.budget import comes_back, holder_of
from ..instances.login import lostlogin
from ..records.summary import Observer, Summary
from ..store import instances, polls
from .covering import Covering, Ways
from .window import window_of

if TYPE_CHECKING:
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


Around = Callable[["PollRow", "Runtime"], AbstractContextManager[Ways]]


@contextlib.contextmanager
def plainly(_poll: PollRow, _runtime: Runtime) -> Iterator[Ways]:
    """Read a window as any poll does."""
    yield Ways()


class Poller:
    """Runs polls that were claimed. `around` is entered for each window that is read, and says how; see `Ways`."""

    def __init__(
        self,
        database: Database,
        runtimes: Runtimes,
        clock: Clock,
        observer: Observer | None = None,
        snapshots_kept: timedelta = timedelta(days=90),
        around: Around = plainly,
    ) -> None:
        self._database = database
        self._runtimes = runtimes
        self._clock = clock
        self._observer = observer or Observer()
        self._deletions = Deletions(database, clock)
        self._stopping = threading.Event()
        self._around = around
        self._covering = Covering(database, clock, self._observer, self._deletions, snapshots_kept, self._stopping)

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
        with self._around(poll, runtime) as ways:
            self._covering.cover(poll, runtime, window, summary, keep, ways)

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

    def _postpone(self, poll: PollRow, plan: Plan) -> None:
        """There is nothing to ask yet: the window that has settled ends before it starts."""
        wait = min(poll.interval, duration_micros(plan.element.settle) + SECOND)
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
        "quiet": poll.quiet,
    }
