"""Claims polls when they are due, hands them to the executor, and keeps the leases of those that run.

Any number of schedulers may work on one store: the lease decides which of them runs a poll.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import to_micros
from ..errors import StaleLeaseError, StoreError
from ..store import polls
from . import endings
from .executor import Executor
from .failures import as_failure, reason_of
from .leases import POLL_LEASE, Heartbeat, free, take_over

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..clock import Clock
    from ..instances.login.keepalive import KeepAlive
    from ..store.database import Database
    from ..store.polls import PollRow
    from ..store.processlock import ProcessLock
    from .poller import Poller

log = logging.getLogger(__name__)

# A change that another process made is noticed after this long at the latest.
NAP = timedelta(seconds=1)
BATCH = 64


class Scheduler:
    """Polls all instances, or only those of `instance_ids`."""

    def __init__(
        self,
        database: Database,
        poller: Poller,
        clock: Clock,
        process: ProcessLock,
        *,
        workers: int,
        instance_ids: Collection[int] | None = None,
        keep_alive: KeepAlive | None = None,
    ) -> None:
        self._database = database
        self._poller = poller
        self._clock = clock
        self._process = process
        self._workers = workers
        self._instance_ids = instance_ids
        self._keep_alive = keep_alive
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._heartbeat = Heartbeat(database, clock, process)
        self._abandoned: deque[tuple[PollRow, Exception]] = deque()

    def run(self, stop: threading.Event) -> None:
        """Poll what becomes due until `stop` is set, then wait for running polls and give all leases up."""
        executor = Executor(self._run_group, self._workers, self._wake.set)
        try:
            while not stop.is_set():
                self._wake.clear()
                take_over(self._database, self._process)
                self._heartbeat()
                self._end_abandoned()
                wait = self._until_due()
                if wait > 0 and self._keep_alive is not None:
                    self._keep_alive.start()
                if wait > 0 or executor.free() < 1:
                    self._clock.wait(self._wake, wait or NAP.total_seconds())
                    continue
                for group in _by_instance(self._claim(executor.free())):
                    executor.submit(group)
        finally:
            self._stopping.set()
            self._poller.stop()
            executor.close()
            if self._keep_alive is not None:
                self._keep_alive.stop()
            free(self._database, [self._process.name])

    def run_once(self) -> int:
        """Poll everything that is due now, once each, in this thread; return how many polls ran."""
        take_over(self._database, self._process)
        horizon, count = self._clock.now(), 0
        while claimed := self._claim(BATCH, due_at=to_micros(horizon)):
            for group in _by_instance(claimed):
                self._run_group(group)
            count += len(claimed)
        self._end_abandoned()
        return count

    def wake(self) -> None:
        self._wake.set()

    def _claim(self, limit: int, due_at: int | None = None) -> list[PollRow]:
        if limit < 1:
            return []
        now = self._clock.now()
        with self._database.write() as connection:
            return polls.claim(
                connection,
                owner=self._process.name,
                due_at=due_at or to_micros(now),
                now=to_micros(now),
                until=to_micros(now + POLL_LEASE),
                limit=limit,
                instance_ids=self._instance_ids,
            )

    def _run_group(self, group: Sequence[PollRow]) -> None:
        for number, poll in enumerate(group):
            if self._stopping.is_set():
                return
            # The claim read the instance's version, which may have changed while the poll waited for a thread or for
            # earlier polls of its group. None makes the poller read the version again.
            current = poll if number == 0 and self._is_fresh(poll) else replace(poll, instance_version=None)
            try:
                self._poller.run(current, keep=self._heartbeat)
            except Exception as error:
                # The store could not record how it ended, or an observer failed.
                log.exception("poll of %s of instance %s did not end", poll.resource, poll.instance_id)
                self._abandoned.append((current, error))

    def _end_abandoned(self) -> None:
        """End claims that an exception has left open: otherwise their leases would be renewed for ever."""
        for _ in range(len(self._abandoned)):
            poll, error = self._abandoned.popleft()
            failure = as_failure(error, None)
            state = endings.failed(poll, failure, reason_of(failure), self._clock.now())
            try:
                with self._database.write() as connection:
                    polls.finish(connection, poll, state)
            except StaleLeaseError:
                log.debug("the claim of %s of instance %s had ended already", poll.resource, poll.instance_id)
            except StoreError:
                self._abandoned.append((poll, error))

    def _is_fresh(self, poll: PollRow) -> bool:
        """Whether the poll was claimed just now."""
        return poll.lease_until is not None and poll.lease_until >= to_micros(self._clock.now() + POLL_LEASE - NAP)

    def _until_due(self) -> float:
        """Seconds to wait, at most `NAP`, because another process may make a poll due."""
        with self._database.read() as connection:
            due = polls.next_due(connection, self._instance_ids)
        nap = NAP.total_seconds()
        return nap if due is None else min(nap, max(0.0, (due - to_micros(self._clock.now())) / 1_000_000))


def _by_instance(claimed: Sequence[PollRow]) -> list[list[PollRow]]:
    """One group per instance: its polls run one after another, because they share a login and the provider's limits."""
    ordered = sorted(claimed, key=lambda poll: poll.instance_id)
    return [list(group) for _, group in itertools.groupby(ordered, key=lambda poll: poll.instance_id)]
