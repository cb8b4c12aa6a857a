"""Delivers what waits: claims lanes that are due, sends each one's oldest notification first, writes down how it went.

A lane is one worker's at a time, so the order of an object's notifications holds; a lane that is stuck waits by itself.
A process that dies between sending and writing down leaves the notification undelivered: the same bytes go out again.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from ..clock import from_micros, to_micros
from ..errors import ConnectoryError, StaleLeaseError
from ..signature import headers_for
from ..store import deliveries, lanes
from ..store.deliveries import Delivery, Result
from ..store.lanes import DELIVERED, QUEUED, RETRY, Lane
from .schedule import next_attempt
from .sender import RequestsSender

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..store.database import Database
    from .sender import Sender

log = logging.getLogger(__name__)

# A claim sends for so long, and then finishes the attempt it is in; the lease outlives both by far.
BATCH_TIME = timedelta(seconds=30)
LANE_LEASE = timedelta(seconds=120)
BATCH = 20
NAP = timedelta(seconds=1)
# How long a lane rests where not the receiver but something here is broken.
REST = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempted:
    """An attempt that was written down, for those who watch."""

    delivery_id: int
    notification_id: int
    instance_id: int
    subscription_id: int
    url: str
    number: int
    started_at: datetime
    duration: timedelta
    delivered: bool
    status: int | None
    error: str | None
    retry_at: datetime | None
    deactivated: str | None


class Ended(Protocol):
    """Says when no more attempts are to be begun; a `threading.Event` does."""

    def is_set(self) -> bool: ...


class DeliveryWorker:
    """`keys_for` gives an instance's signature keys, newest first; `instance_ids` narrows it to some instances.

    `on_attempt` is called in the thread that made the attempt.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        keys_for: Callable[[int], Sequence[bytes]],
        *,
        sender: Sender | None = None,
        on_attempt: Callable[[Attempted], None] | None = None,
        workers: int = 8,
        instance_ids: Collection[int] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._keys_for = keys_for
        self._sender = sender or RequestsSender()
        self._on_attempt = on_attempt
        self._workers = workers
        self._instance_ids = instance_ids
        self._wake = threading.Event()
        self._broken = _Broken()
        # Subscriptions whose last attempt got no answer: each further one may keep a thread for as long.
        self._silent: set[int] = set()

    def run(self, stop: threading.Event) -> None:
        """Deliver what becomes due until `stop` is set; what is being sent is written down before it returns."""
        crew = _Crew(lambda lane: self._deliver(lane, stop), self._workers, self._wake.set)
        try:
            while not stop.is_set():
                self._wake.clear()
                self._clock.wait(self._wake, self._step(crew))
        finally:
            crew.close()
            self._give_up()

    def run_once(self) -> int:
        """Deliver everything that is due now, and return how many attempts were made."""
        return self._deliver_due(threading.Event())

    def _deliver_due(self, ended: Ended) -> int:
        horizon = self._clock.now()
        crew = _Crew(lambda lane: self._deliver(lane, ended), self._workers, self._wake.set)
        try:
            while True:
                self._wake.clear()
                # Asked before: a lane that ends meanwhile may have more to send.
                idle = crew.running == 0
                if ended.is_set() or not self._start_lanes(crew, horizon):
                    if idle:
                        return crew.made
                    self._wake.wait()
        finally:
            crew.close()

    def drain(self, deadline: datetime, stop: Ended | None = None) -> bool:
        """Deliver what waits, retries as they become due, up to a moment or until `stop` is set; whether nothing
        waits any more. Attempts that are under way then are waited for, no more are begun."""
        ended = _Deadline(self._clock, deadline, stop or threading.Event())
        while True:
            self._deliver_due(ended)
            due = self._next_due()
            if due is None:
                return True
            if ended.is_set() or due > deadline:
                return False
            now = self._clock.now()
            self._clock.wait(self._wake, min(NAP, due - now).total_seconds())

    def wake(self) -> None:
        """Look at once, not at the end of a nap."""
        self._wake.set()

    # Claims

    def _step(self, crew: _Crew) -> float:
        """Start what is due; returns how many seconds to wait. A store that fails for a while stops nothing."""
        try:
            started = self._start_lanes(crew, self._clock.now())
            due = None if started else self._next_due()
        except ConnectoryError as error:
            if self._broken.breaks("store"):
                log.error("nothing can be delivered: %s", error)
            return NAP.total_seconds()
        if self._broken.mends("store"):
            log.info("deliveries go on")
        if started:
            return 0
        wait = NAP if due is None else due - self._clock.now()
        # What is due and was not started waits for a thread, whose end wakes this.
        return (wait if timedelta(0) < wait < NAP else NAP).total_seconds()

    def _start_lanes(self, crew: _Crew, horizon: datetime) -> int:
        due = self._next_due() if crew.free > 0 else None
        if due is None or due > horizon:
            return 0
        silent = list(self._silent)
        with self._database.write() as connection:
            lanes = self._claim(connection, horizon, crew.free, but=silent)
            # A few threads are enough for receivers that do not answer: the others are for those that do.
            room = min(crew.free - len(lanes), max(1, self._workers // 4) - crew.running_of(silent))
            if silent and room > 0:
                lanes += self._claim(connection, horizon, room, subscription_ids=silent)
        for lane in lanes:
            crew.start(lane)
        return len(lanes)

    def _claim(
        self,
        connection: Connection,
        horizon: datetime,
        limit: int,
        *,
        but: Collection[int] = (),
        subscription_ids: Collection[int] | None = None,
    ) -> list[Lane]:
        return lanes.claim(
            connection,
            owner=self._owner,
            now=to_micros(horizon),
            until=to_micros(self._clock.now() + LANE_LEASE),
            limit=limit,
            instance_ids=self._instance_ids,
            subscription_ids=subscription_ids,
            but=but,
        )

    def _next_due(self) -> datetime | None:
        with self._database.read() as connection:
            due = lanes.next_due(connection, self._instance_ids)
        return None if due is None else from_micros(due)

    def _give_up(self) -> None:
        try:
            with self._database.write() as connection:
                lanes.free_leases(connection, [self._owner])
        except ConnectoryError as error:
            log.warning("leases are left to run out: %s", error)

    # One lane

    def _deliver(self, lane: Lane, stop: Ended) -> int:
        """Send what is due of one lane; returns how many attempts were made. What goes wrong stays in this lane."""
        try:
            results = self._deliver_batch(lane, stop)
        except StaleLeaseError as error:
            log.warning("%s", error)
            return 0
        except Exception:
            # The lease runs out, and the lane is tried again.
            if self._broken.breaks((lane.subscription_id, lane.lane)):
                log.exception("lane %s of subscription %s is held up", lane.lane, lane.subscription_id)
            return 0
        for result in results:
            self._tell(lane, result)
        return len(results)

    def _deliver_batch(self, lane: Lane, stop: Ended) -> list[Result]:
        """Send in order until one fails, and write it all down together, also where something breaks in between."""
        with self._database.read() as connection:
            waiting = deliveries.oldest(connection, lane, BATCH)
        results: list[Result] = []
        not_before = 0
        try:
            results.extend(self._attempts(lane, waiting, stop))
        except Exception:
            not_before = to_micros(self._clock.now() + REST)
            if self._broken.breaks((lane.subscription_id, lane.lane)):
                log.exception("lane %s of subscription %s is held up", lane.lane, lane.subscription_id)
        else:
            if self._broken.mends((lane.subscription_id, lane.lane)):
                log.info("lane %s of subscription %s goes on", lane.lane, lane.subscription_id)
        with self._database.write() as connection:
            deliveries.record(connection, lane, results, not_before=not_before)
        return results

    def _attempts(self, lane: Lane, waiting: Sequence[Delivery], stop: Ended) -> Iterator[Result]:
        until = self._clock.now() + BATCH_TIME
        keys = self._keys_for(lane.instance_id)
        for delivery in waiting:
            now = self._clock.now()
            if stop.is_set() or now >= until or delivery.due_at > to_micros(now):
                return
            result = self._attempt(lane, delivery, keys)
            yield result
            if result.becomes != DELIVERED:
                return

    def _attempt(self, lane: Lane, delivery: Delivery, keys: Sequence[bytes]) -> Result:
        started = self._clock.now()
        headers = headers_for(keys, delivery.notification_id, started, delivery.body)
        sent = self._sender.send(lane.url, headers, delivery.body)
        decision = next_attempt(delivery.attempts + 1, sent.status, self._clock.now(), sent.retry_after)
        (self._silent.add if sent.status is None else self._silent.discard)(lane.subscription_id)
        return Result(
            delivery=delivery,
            started_at=to_micros(started),
            duration=sent.duration,
            status=sent.status,
            error=sent.error,
            response=sent.head,
            becomes=DELIVERED if decision.delivered else RETRY if decision.retry_at else QUEUED,
            due_at=None if decision.retry_at is None else to_micros(decision.retry_at),
            deactivate=decision.deactivate,
        )

    # What others see

    def _tell(self, lane: Lane, result: Result) -> None:
        self._log(lane, result)
        if self._on_attempt is None:
            return
        try:
            self._on_attempt(_attempted(lane, result))
        except Exception:
            if self._broken.breaks("observer"):
                log.exception("who watches the deliveries failed")

    def _log(self, lane: Lane, result: Result) -> None:
        # The host only: a path or a password in a callback URL is nobody's business.
        host, receiver = urlsplit(lane.url).hostname, ("receiver", lane.subscription_id)
        if result.becomes == DELIVERED:
            if self._broken.mends(receiver):
                log.info("instance %s: %s takes notifications again", lane.instance_id, host)
        elif self._broken.breaks(receiver):
            why = result.error or f"it answered {result.status}"
            log.warning("instance %s: %s does not take notifications: %s", lane.instance_id, host, why)
        if result.deactivate is not None:
            log.error("instance %s: deliveries to %s are deactivated: %s", lane.instance_id, host, result.deactivate)


@dataclass(frozen=True, slots=True)
class _Deadline:
    clock: Clock
    moment: datetime
    stop: Ended

    def is_set(self) -> bool:
        return self.stop.is_set() or self.clock.now() >= self.moment


class _Broken:
    """Knows what is broken, so that it is said once when it breaks and once when it recovers."""

    def __init__(self) -> None:
        self._known: set[Hashable] = set()
        self._lock = threading.Lock()

    def breaks(self, what: Hashable) -> bool:
        """Whether this is news."""
        with self._lock:
            news = what not in self._known
            self._known.add(what)
            return news

    def mends(self, what: Hashable) -> bool:
        """Whether this is news."""
        with self._lock:
            news = what in self._known
            self._known.discard(what)
            return news


class _Crew:
    """Threads that deliver lanes; `ended` is called after each lane, from its thread."""

    def __init__(self, deliver: Callable[[Lane], int], workers: int, ended: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="deliver")
        self._deliver = deliver
        self._workers = workers
        self._ended = ended
        self._running: set[Lane] = set()
        self._lock = threading.Lock()
        self.made = 0

    @property
    def running(self) -> int:
        with self._lock:
            return len(self._running)

    @property
    def free(self) -> int:
        return self._workers - self.running

    def running_of(self, subscription_ids: Collection[int]) -> int:
        with self._lock:
            return sum(lane.subscription_id in subscription_ids for lane in self._running)

    def start(self, lane: Lane) -> None:
        with self._lock:
            self._running.add(lane)
        self._pool.submit(self._run, lane)

    def close(self) -> None:
        """Wait for what is running."""
        self._pool.shutdown(wait=True)

    def _run(self, lane: Lane) -> None:
        made = 0
        try:
            made = self._deliver(lane)
        finally:
            with self._lock:
                self.made += made
                self._running.remove(lane)
            self._ended()


def _attempted(lane: Lane, result: Result) -> Attempted:
    return Attempted(
        delivery_id=result.delivery.id,
        notification_id=result.delivery.notification_id,
        instance_id=lane.instance_id,
        subscription_id=lane.subscription_id,
        url=lane.url,
        number=result.delivery.attempts + 1,
        started_at=from_micros(result.started_at),
        duration=timedelta(milliseconds=result.duration),
        delivered=result.becomes == DELIVERED,
        status=result.status,
        error=result.error,
        retry_at=None if result.due_at is None else from_micros(result.due_at),
        deactivated=result.deactivate,
    )
