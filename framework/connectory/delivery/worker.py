"""The worker: claims lanes that are due, and has its threads deliver them.

One worker at a time sends from a lane, so the notifications of an object stay in order. A lane that fails does not hold
up the others. If a process dies after it has sent a notification and before it has recorded that, the same bytes are
sent again.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import ConnectoryError
from .attempted import Reporter
from .claims import Claims
from .crew import Crew
from .ending import Deadline
from .lane import LaneDelivery
from .outages import Outages
from .poster import HttpPoster

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from ..clock import Clock
    from ..store.database import Database
    from .attempted import Attempted
    from .ending import Ended
    from .poster import Poster

log = logging.getLogger(__name__)

NAP = timedelta(seconds=1)
"""The longest wait between two looks at the store."""


class DeliveryWorker:
    """Delivers for all instances of a store, or for those in `instance_ids`.

    `keys_for` returns an instance's signature keys, newest first. `on_attempt` is called in the thread that made the
    attempt.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        keys_for: Callable[[int], Sequence[bytes]],
        *,
        poster: Poster | None = None,
        on_attempt: Callable[[Attempted], None] | None = None,
        workers: int = 8,
        instance_ids: Collection[int] | None = None,
    ) -> None:
        self._clock = clock
        self._workers = workers
        self._wake = threading.Event()
        self._outages = Outages()
        self._claims = Claims(database, clock, owner, instance_ids)
        reporter = Reporter(self._outages, on_attempt)
        self._lane = LaneDelivery(database, clock, keys_for, poster or HttpPoster(), reporter, self._outages)

    def run(self, stop: threading.Event) -> None:
        """Deliver notifications as they become due, until `stop` is set.

        Attempts that have begun by then are finished and recorded before it returns.
        """
        crew = self._crew(stop)
        try:
            while not stop.is_set():
                self._wake.clear()
                self._clock.wait(self._wake, self._step(crew))
        finally:
            crew.close()
            self._claims.release()

    def run_once(self) -> int:
        """Deliver everything that is due now, and return how many attempts were made."""
        return self._deliver_due(threading.Event())

    def drain(self, deadline: datetime, stop: Ended | None = None) -> bool:
        """Deliver until nothing is waiting, retries included; return False if notifications are left.

        No attempt is begun after the deadline or once `stop` is set; attempts that have begun are finished.
        """
        ended = Deadline(self._clock, deadline, stop or threading.Event())
        while True:
            self._deliver_due(ended)
            due = self._claims.next_due()
            if due is None:
                return True
            if ended.is_set() or due > deadline:
                return False
            now = self._clock.now()
            self._clock.wait(self._wake, min(NAP, due - now).total_seconds())

    def wake(self) -> None:
        """Look for due notifications at once instead of at the end of the current wait."""
        self._wake.set()

    def _crew(self, ended: Ended) -> Crew:
        return Crew(lambda lane: self._lane.deliver(lane, ended), self._workers, self._wake.set)

    def _deliver_due(self, ended: Ended) -> int:
        horizon = self._clock.now()
        crew = self._crew(ended)
        try:
            while True:
                self._wake.clear()
                # Ask before lanes are claimed: a lane that ends in between may have more to send.
                idle = crew.running == 0
                if ended.is_set() or not self._start_lanes(crew, horizon):
                    if idle:
                        return crew.made
                    self._wake.wait()
        finally:
            crew.close()

    def _step(self, crew: Crew) -> float:
        """Start the lanes that are due, and return how many seconds to wait. A store error is retried later."""
        try:
            started = self._start_lanes(crew, self._clock.now())
            due = None if started else self._claims.next_due()
        except ConnectoryError as error:
            if self._outages.begins("store"):
                log.error("nothing can be delivered: %s", error)
            return NAP.total_seconds()
        if self._outages.ends("store"):
            log.info("notifications are delivered again")
        if started:
            return 0
        wait = NAP if due is None else due - self._clock.now()
        # A lane that is overdue here found no free thread. A thread that finishes its lane wakes the worker.
        return (wait if timedelta(0) < wait < NAP else NAP).total_seconds()

    def _start_lanes(self, crew: Crew, horizon: datetime) -> int:
        due = self._claims.next_due() if crew.free > 0 else None
        if due is None or due > horizon:
            return 0
        silent = list(self._lane.silent)
        # Receivers that do not answer get a quarter of the threads, so that the others are still served.
        room = max(1, self._workers // 4) - crew.running_of(silent)
        lanes = self._claims.claim(horizon, crew.free, silent, room)
        for lane in lanes:
            crew.start(lane)
        return len(lanes)
