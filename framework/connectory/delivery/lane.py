"""Delivers one lane: sends its oldest notifications in order, and records how each attempt went."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import to_micros
from ..errors import StaleLeaseError
from ..signature import headers_for
from ..store import deliveries
from ..store.deliveries import Delivery, Result
from ..store.lanes import DELIVERED, QUEUED, RETRY, Lane
from .schedule import next_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..clock import Clock
    from ..store.database import Database
    from .attempted import Reporter
    from .ending import Ended
    from .outages import Outages
    from .poster import Poster

log = logging.getLogger(__name__)

BATCH = 20
"""Notifications that are sent under one claim of a lane."""
BATCH_TIME = timedelta(seconds=30)
"""No attempt is begun later than this after the claim, so that the last one ends within `claims.LANE_LEASE`."""
REST = timedelta(seconds=30)
"""How long a lane waits after a failure of this process, as opposed to one of the receiver."""


class LaneDelivery:
    """`keys_for` returns an instance's signature keys, newest first.

    `silent` holds the subscriptions whose last attempt got no answer: their next attempt may block a thread again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keys_for: Callable[[int], Sequence[bytes]],
        poster: Poster,
        reporter: Reporter,
        outages: Outages,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys_for = keys_for
        self._poster = poster
        self._reporter = reporter
        self._outages = outages
        self.silent: set[int] = set()

    def deliver(self, lane: Lane, stop: Ended) -> int:
        """Send what is due, and return how many attempts were made. A failure holds up this lane only."""
        try:
            results = self._deliver_batch(lane, stop)
        except StaleLeaseError as error:
            log.warning("%s", error)
            return 0
        except Exception as error:  # noqa: BLE001 - it is logged, and the lane is tried again when its lease has run out
            self._held_up(lane, error)
            return 0
        for result in results:
            self._reporter.report(lane, result)
        return len(results)

    def _deliver_batch(self, lane: Lane, stop: Ended) -> list[Result]:
        """Send in order until an attempt fails, and record all attempts in one transaction.

        Attempts made before an exception count as well: their receivers have answered.
        """
        with self._database.read() as connection:
            waiting = deliveries.oldest(connection, lane, BATCH)
        results: list[Result] = []
        not_before = 0
        try:
            results.extend(self._attempts(lane, waiting, stop))
        except Exception as error:  # noqa: BLE001 - the attempts before it have to be recorded
            not_before = to_micros(self._clock.now() + REST)
            self._held_up(lane, error)
        else:
            if self._outages.ends(_place(lane)):
                log.info("lane %s of subscription %s is delivered again", lane.lane, lane.subscription_id)
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
        posted = self._poster.post(lane.url, headers, delivery.body)
        decision = next_attempt(delivery.attempts + 1, posted.status, self._clock.now(), posted.retry_after)
        (self.silent.add if posted.status is None else self.silent.discard)(lane.subscription_id)
        return Result(
            delivery=delivery,
            started_at=to_micros(started),
            duration=posted.duration,
            status=posted.status,
            error=posted.error,
            response=posted.head,
            becomes=DELIVERED if decision.delivered else RETRY if decision.retry_at else QUEUED,
            due_at=None if decision.retry_at is None else to_micros(decision.retry_at),
            deactivate=decision.deactivate,
        )

    def _held_up(self, lane: Lane, error: Exception) -> None:
        if self._outages.begins(_place(lane)):
            text = "lane %s of subscription %s cannot be delivered"
            log.error(text, lane.lane, lane.subscription_id, exc_info=error)


def _place(lane: Lane) -> tuple[int, int]:
    return lane.subscription_id, lane.lane
