"""Keeps the leases of a process, and frees those of processes that are gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import to_micros
from ..store import credentials, lanes, polls

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..clock import Clock
    from ..store.database import Database
    from ..store.processlock import ProcessLock

# Longer than the slowest page takes. The leases of a dead process are freed without waiting for their end.
POLL_LEASE = timedelta(seconds=180)
HEARTBEAT = POLL_LEASE / 4


class Heartbeat:
    """Call it often. It renews all poll leases of this process when that is due."""

    def __init__(self, database: Database, clock: Clock, process: ProcessLock) -> None:
        self._database = database
        self._clock = clock
        self._process = process
        self._renewed = clock.now()

    def __call__(self) -> None:
        now = self._clock.now()
        if now - self._renewed >= HEARTBEAT:
            self._renewed = now
            with self._database.write() as connection:
                polls.renew_leases(connection, self._process.name, to_micros(now + POLL_LEASE))


def take_over(database: Database, process: ProcessLock) -> None:
    """Free what dead processes held."""
    dead = process.dead()
    if dead:
        free(database, dead)


def free(database: Database, owners: Collection[str]) -> None:
    """Give up everything that these owners hold: polls, lanes and renewals of tokens."""
    with database.write() as connection:
        for table in (polls, lanes, credentials):
            table.free_leases(connection, owners)
