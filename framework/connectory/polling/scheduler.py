"""Claims polls when they are due and hands them to the executor; keeps the leases of those that run.

Any number of schedulers may work on one store: the lease decides who polls what.
"""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import to_micros
from ..errors import ConnectoryError
from ..store import credentials, lanes, polls
from .executor import ThreadExecutor

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..clock import Clock
    from ..instances.login.keepalive import KeepAlive
    from ..store.database import Database
    from ..store.polls import PollRow
    from ..store.processlock import ProcessLock
    from .poller import Poller

log = logging.getLogger(__name__)

# Longer than the slowest page may take; what a process holds that has died is freed without waiting for it.
POLL_LEASE = timedelta(seconds=180)
HEARTBEAT = POLL_LEASE / 4
# How long a change that another process made may go unnoticed.
NAP = timedelta(seconds=1)
BATCH = 64


class Scheduler:
    """`instance_ids` narrows it to some instances; None means all."""

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
        self._renewed = clock.now()

    def run(self, stop: threading.Event) -> None:
        """Poll what becomes due until `stop` is set, then end what runs and give the leases up."""
        executor = ThreadExecutor(self._run_group, self._workers, self._wake.set)
        try:
            while not stop.is_set():
                self._wake.clear()
                take_over(self._database, self._process)
                self._heartbeat()
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
            _free(self._database, [self._process.name])

    def run_once(self) -> int:
        """Poll everything that is due now, once each, in this thread; returns how many polls ran."""
        take_over(self._database, self._process)
        horizon, count = self._clock.now(), 0
        while claimed := self._claim(BATCH, due_at=to_micros(horizon)):
            for group in _by_instance(claimed):
                self._run_group(group)
            count += len(claimed)
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
            # The claim saw the instance, but an earlier poll of it may have changed it, or taken long.
            current = poll if number == 0 and self._is_fresh(poll) else replace(poll, instance_version=None)
            try:
                self._poller.run(current, keep=self._heartbeat)
            except ConnectoryError as error:
                # The store cannot even take the failure down: the lease runs out, and the poll is tried again.
                log.error("poll of %s of instance %s: %s", poll.resource, poll.instance_id, error)
            except Exception:
                log.exception("poll of %s of instance %s failed in an unknown way", poll.resource, poll.instance_id)

    def _is_fresh(self, poll: PollRow) -> bool:
        """Whether it was claimed just now."""
        return poll.lease_until is not None and poll.lease_until >= to_micros(self._clock.now() + POLL_LEASE - NAP)

    def _heartbeat(self) -> None:
        """Renew the leases now and then; called between pages, and by the loop for polls that wait their turn."""
        now = self._clock.now()
        if now - self._renewed >= HEARTBEAT:
            self._renewed = now
            with self._database.write() as connection:
                polls.renew_leases(connection, self._process.name, to_micros(now + POLL_LEASE))

    def _until_due(self) -> float:
        """Seconds to wait, at most a nap: another process may make something due."""
        with self._database.read() as connection:
            due = polls.next_due(connection, self._instance_ids)
        nap = NAP.total_seconds()
        return nap if due is None else min(nap, max(0.0, (due - to_micros(self._clock.now())) / 1_000_000))


def take_over(database: Database, process: ProcessLock) -> None:
    """Free what processes held that are gone."""
    dead = process.dead()
    if dead:
        _free(database, dead)


def _free(database: Database, owners: Collection[str]) -> None:
    """Give up everything that these owners hold: polls, lanes and renewals of tokens."""
    with database.write() as connection:
        for table in (polls, lanes, credentials):
            table.free_leases(connection, owners)


def _by_instance(claimed: Sequence[PollRow]) -> list[list[PollRow]]:
    """One instance's polls are run one after another: they share its login and its provider's patience."""
    ordered = sorted(claimed, key=lambda poll: poll.instance_id)
    return [list(group) for _, group in itertools.groupby(ordered, key=lambda poll: poll.instance_id)]
