"""Delivers what waits: claims lanes that are due, sends each one's oldest notification first, writes down how it went.

A lane is one worker's at a time, so the order of an object's notifications holds; a lane that is stuck waits by itself.
A process that dies between sending and writing down leaves the notification undelivered: the same bytes go out again.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import from_micros, to_micros
from ..errors import ConnectoryError, StaleLeaseError
from ..store import deliveries
from ..store.deliveries import DELIVERED, QUEUED, RETRY, Delivery, Lane, Result
from .schedule import Decision, next_attempt
from .sender import RequestsSender
from .signature import headers_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ..clock import Clock
    from ..store.database import Database
    from .sender import Sender, Sent

log = logging.getLogger(__name__)

# Longer than a batch of a lane may take, each delivery at its slowest.
LEASE = timedelta(seconds=600)
BATCH = 20
NAP = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempted:
    """An attempt that was written down, for those who watch."""

    delivery_id: int
    notification_id: int
    instance_id: int
    url: str
    number: int
    delivered: bool
    status: int | None
    error: str | None
    again_in: timedelta | None
    deactivated: str | None


class DeliveryWorker:
    """`keys_for` gives an instance's signature keys, newest first; `instance_ids` narrows it to some instances."""

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
        self._on_attempt = on_attempt or (lambda _attempted: None)
        self._workers = workers
        self._instance_ids = instance_ids
        self._wake = threading.Event()
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Deliver what becomes due until `stop` is set; what is being sent is written down before it returns."""
        self._stop = stop
        with ThreadPoolExecutor(self._workers, thread_name_prefix="deliver") as pool:
            while not stop.is_set():
                self._wake.clear()
                if not self._round(pool):
                    self._clock.wait(self._wake, self._until_due())

    def run_once(self) -> int:
        """Deliver everything that is due now, and return how many attempts were made."""
        made = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="deliver") as pool:
            while count := self._round(pool):
                made += count
        return made

    def wake(self) -> None:
        self._wake.set()

    def _round(self, pool: ThreadPoolExecutor) -> int:
        """Claim as many lanes as there are threads, and wait for them; returns how many attempts were made."""
        claimed = self._claim() if self._until_due() == 0 else []
        jobs = [pool.submit(self._deliver_lane, lane) for lane in claimed]
        wait(jobs)
        return sum(job.result() for job in jobs)

    def _claim(self) -> list[Lane]:
        now = self._clock.now()
        with self._database.write() as connection:
            return deliveries.claim_lanes(
                connection,
                owner=self._owner,
                now=to_micros(now),
                until=to_micros(now + LEASE),
                limit=self._workers,
                instance_ids=self._instance_ids,
            )

    def _until_due(self) -> float:
        with self._database.read() as connection:
            due = deliveries.next_due(connection, self._instance_ids)
        nap = NAP.total_seconds()
        return nap if due is None else min(nap, max(0.0, (due - to_micros(self._clock.now())) / 1_000_000))

    def _deliver_lane(self, lane: Lane) -> int:
        """Send what is due of one lane, in order, until one fails; then write it all down together."""
        try:
            with self._database.read() as connection:
                waiting = deliveries.oldest(connection, lane, BATCH)
            keys = self._keys_for(lane.instance_id)
            results = self._send_in_order(lane, waiting, keys)
            with self._database.write() as connection:
                deliveries.record(connection, lane, results)
        except StaleLeaseError as error:
            log.info("%s", error.message)
            return 0
        except ConnectoryError as error:
            log.error("lane %s of subscription %s: %s", lane.lane, lane.subscription_id, error)
            return 0
        for result in results:
            self._on_attempt(_attempted(lane, result))
        return len(results)

    def _send_in_order(self, lane: Lane, waiting: Sequence[Delivery], keys: Sequence[bytes]) -> list[Result]:
        results: list[Result] = []
        for delivery in waiting:
            if delivery.due_at > to_micros(self._clock.now()) or self._stop.is_set():
                break
            results.append(self._attempt(lane, delivery, keys))
            if results[-1].becomes != DELIVERED:
                break
        return results

    def _attempt(self, lane: Lane, delivery: Delivery, keys: Sequence[bytes]) -> Result:
        started = self._clock.now()
        headers = headers_for(keys, delivery.notification_id, started, delivery.body)
        sent = self._sender.send(lane.url, headers, delivery.body)
        decision = next_attempt(delivery.attempts + 1, sent.status, self._clock.now(), sent.retry_after)
        if not decision.delivered and delivery.attempts == 0:
            why = sent.error or f"it answered {sent.status}"
            log.warning("notification %s was not delivered to %s: %s", delivery.notification_id, lane.url, why)
        return self._result(delivery, to_micros(started), sent, decision)

    def _result(self, delivery: Delivery, started: int, sent: Sent, decision: Decision) -> Result:
        due_at = None if decision.retry_at is None else to_micros(decision.retry_at)
        return Result(
            delivery=delivery,
            started_at=started,
            duration=sent.duration,
            status=sent.status,
            error=sent.error,
            response=sent.head,
            becomes=DELIVERED if decision.delivered else RETRY if decision.retry_at else QUEUED,
            due_at=due_at,
            deactivate=decision.deactivate,
        )


def _attempted(lane: Lane, result: Result) -> Attempted:
    again_in = None
    if result.due_at is not None:
        again_in = from_micros(result.due_at) - from_micros(result.started_at)
    return Attempted(
        delivery_id=result.delivery.id,
        notification_id=result.delivery.notification_id,
        instance_id=lane.instance_id,
        url=lane.url,
        number=result.delivery.attempts + 1,
        delivered=result.becomes == DELIVERED,
        status=result.status,
        error=result.error,
        again_in=again_in,
        deactivated=result.deactivate,
    )
