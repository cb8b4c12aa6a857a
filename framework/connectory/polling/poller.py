"""Runs one claimed poll: finds its window, has it read, and ends the claim whatever happens.

Nothing is lost and nothing is announced twice, whenever a process dies: see `pages`.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from ..deletions.search import Deletions
from ..errors import AuthenticationError, ConnectoryError, StaleLeaseError
from ..instances.budget import comes_back, holder_of
from ..instances.login import lostlogin
from ..records.summary import Observer, Summary
from ..records.window import window_of
from ..store import instances, polls
from . import endings
from .covering import Covering
from .failures import as_failure, reason_of
from .ways import plainly

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from ..clock import Clock
    from ..deletions.job import Exchange
    from ..instances.runtime import Runtime, Runtimes
    from ..model import Request, Response, Verdict
    from ..store.database import Database
    from ..store.polls import PollRow
    from .ways import Around

log = logging.getLogger(__name__)


class Poller:
    """Runs polls that were claimed.

    `around` makes the context manager in which each window is read; it yields the `Ways` of reading that window.
    """

    def __init__(
        self,
        database: Database,
        runtimes: Runtimes,
        clock: Clock,
        observer: Observer | None,
        snapshots_kept: timedelta,
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
        """From now on a poll ends instead of waiting for its turn. Polls that need not wait run to their end."""
        self._stopping.set()

    def run(self, poll: PollRow, keep: Callable[[], None] = lambda: None) -> Summary:
        """Poll, and end the claim. Any error makes it a failed poll; only an error of the store is raised.

        `keep` is called after each page: it renews the lease when that is due.
        """
        started = self._clock.now()
        summary = Summary(instance_id=poll.instance_id, resource=poll.resource, start=poll.since, end=poll.since)
        runtime: Runtime | None = None
        try:
            runtime = self._runtimes.get(poll.instance_id, poll.instance_version)
            self._run(poll, runtime, summary, keep)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and every poll ends in a known state
            self._fail(poll, runtime, summary, error)
        summary.duration = (self._clock.now() - started).total_seconds()
        self._observer.polled(summary)
        plan = runtime.plans.get(poll.resource) if runtime is not None else None
        if runtime is not None and plan is not None:
            plan.plugins.poll_finished(plan.element, runtime.row, plan.resource, summary.as_dict())
        return summary

    def _run(self, poll: PollRow, runtime: Runtime, summary: Summary, keep: Callable[[], None]) -> None:
        if runtime.row.state != instances.ACTIVE:
            # The instance was paused or lost its login after the poll was claimed.
            self._end(poll, endings.unchanged(poll))
            return
        if runtime.budget is None:
            self._poll(poll, runtime, summary, keep)
            return
        pause = runtime.budget.take(holder_of(poll))
        if pause is not None:
            summary.failure = pause.reason
            self._end(poll, endings.put_off(poll, comes_back(pause, self._clock.now()), pause.reason))
            return
        try:
            self._poll(poll, runtime, summary, keep)
        finally:
            runtime.budget.leave(holder_of(poll))

    def _poll(self, poll: PollRow, runtime: Runtime, summary: Summary, keep: Callable[[], None]) -> None:
        plan = runtime.plan(poll.resource)
        now = self._clock.now()
        window = window_of(poll, plan, runtime.provider_now(now))
        if window is None:
            self._end(poll, endings.postponed(poll, plan.element.settle, now))
            return
        exchange = self._in_turn(poll, runtime, keep)
        self._deletions.search(poll, runtime, summary, exchange=exchange, watch=self._observer.announced)
        with self._around(poll, runtime) as ways:
            self._covering.cover(poll, runtime, window, summary, keep, ways)

    def _in_turn(self, poll: PollRow, runtime: Runtime, keep: Callable[[], None]) -> Exchange:
        """Sends requests other than those for the window, within the account's budget and under the poll's lease."""

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

    def _end(self, poll: PollRow, state: dict[str, Any]) -> None:
        with self._database.write() as connection:
            polls.finish(connection, poll, state)

    # Failing

    def _fail(self, poll: PollRow, runtime: Runtime | None, summary: Summary, error: Exception) -> None:
        """End the claim as that of a failed poll, unless another worker has it: then nothing is written."""
        failure = as_failure(error, None if runtime is None else runtime.plans.get(poll.resource))
        if not isinstance(failure, StaleLeaseError):
            unexpected = None if failure is error else error
            try:
                self._write_failure(poll, runtime, failure, unexpected)
            except StaleLeaseError as stale:
                failure = stale
        if isinstance(failure, StaleLeaseError):
            log.info("%s", failure.message)
            summary.failure = failure.message
        else:
            summary.failure = reason_of(failure)
        summary.error = failure

    def _write_failure(
        self, poll: PollRow, runtime: Runtime | None, failure: ConnectoryError, unexpected: Exception | None
    ) -> None:
        reason, now = reason_of(failure), self._clock.now()
        with self._database.write() as connection:
            polls.finish(connection, poll, endings.failed(poll, failure, reason, now))
            if isinstance(failure, AuthenticationError):
                version = None if runtime is None else runtime.row.version
                lostlogin.lose(connection, poll.instance_id, version, failure, now)
        if not poll.failures:
            log.warning(
                "poll of %s of instance %s failed: %s", poll.resource, poll.instance_id, reason, exc_info=unexpected
            )
        if runtime is not None and runtime.budget is not None:
            runtime.budget.refused(failure)
