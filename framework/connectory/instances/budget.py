"""The requests that a provider allows one account, shared by all instances and processes of a store.

A poll takes one before each page. When the account has none left, or the provider has asked for a pause, no process
calls the provider until the pause is over. A bucket holds a tenth of the limit and is filled at the rate of the other
nine tenths. So the requests within any span as long as the limit's period never exceed the limit.
"""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..backoff import delay_after
from ..clock import from_micros, to_micros
from ..errors import ConnectoryError, RetryLaterError, StaleLeaseError
from ..ratelimits import is_used_up, seconds_to_reset
from ..store import budgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ..clock import Clock
    from ..model import Response
    from ..ratelimits import Limit
    from ..store.budgets import BudgetRow
    from ..store.database import Database
    from ..store.polls import PollRow

log = logging.getLogger(__name__)

# A running poll counts towards `Limit.concurrent`: it has one of that many places. Each page renews the place for this
# long, so the place of a poll whose process was killed becomes free after this long.
HOLD = timedelta(seconds=180)
# In the middle of a window a poll waits up to this long for its next page; then it gives up, to start over later.
PATIENCE = timedelta(minutes=10)
STEP = 10.0
# Polls that waited for the same pause start again at random moments, at most this many seconds after it.
SPREAD = 30.0
FULL = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """The provider must not be called before `until`."""

    until: datetime
    reason: str


def holder_of(poll: PollRow) -> str:
    return f"{poll.instance_id}/{poll.resource}/{poll.epoch}"


class Budget:
    """The budget of one account. Without numbers in the limits, only the provider's answers cause pauses."""

    def __init__(self, database: Database, clock: Clock, account: str, limits: Sequence[Limit]) -> None:
        self._database = database
        self._clock = clock
        self._account = account
        self._rates = [limit for limit in limits if limit.requests is not None]
        self._concurrent = min((limit.concurrent for limit in limits if limit.concurrent is not None), default=None)
        self._failing = False

    @property
    def _counts(self) -> bool:
        return bool(self._rates) or self._concurrent is not None

    def take(self, holder: str) -> Pause | None:
        """Take one request and a place among the concurrent polls, or return the pause to make first."""
        now = self._clock.now()
        if not self._counts:
            with self._database.read() as connection:
                row = budgets.get(connection, self._account)
            self._failing = row.failures > 0
            return self._parked(row, now)
        with self._database.write() as connection:
            row = budgets.hold(connection, self._account)
            self._failing = row.failures > 0
            pause = self._parked(row, now) or self._full(row, holder, now) or self._drained(row, now)
            if pause is None:
                self._charge(row, holder, now)
                budgets.put(connection, row)
        return pause

    def wait(self, holder: str, keep: Callable[[], None], stop: threading.Event | None = None) -> None:
        """Wait until there is a request for the next page of a running poll, and take it.

        `keep` is called again and again while it waits, to renew the poll's lease. When `stop` is set, the poll ends
        with a `StaleLeaseError` and writes nothing.
        """
        stop = stop or threading.Event()
        patient_until = self._clock.now() + PATIENCE
        while (pause := self.take(holder)) is not None:
            if pause.until > patient_until:
                left = (pause.until - self._clock.now()).total_seconds()
                raise RetryLaterError(pause.reason, retry_after=left, hint="the poll starts over after the pause")
            seconds = (pause.until - self._clock.now()).total_seconds()
            if self._clock.wait(stop, max(0.01, min(STEP, seconds))):
                raise StaleLeaseError("this process ends while a poll waits for its turn; the poll starts over later")
            keep()

    def leave(self, holder: str) -> None:
        """Give back the place that the poll had among the concurrent polls."""
        if self._concurrent is None:
            return
        with self._database.write() as connection:
            row = budgets.hold(connection, self._account)
            if row.holders.pop(holder, None) is not None:
                budgets.put(connection, row)

    def learn(self, response: Response) -> None:
        """Learn from a good answer that the account works again, or that its budget is used up."""
        if self._failing:
            self._recover()
        if is_used_up(response):
            seconds = seconds_to_reset(response)
            if seconds:
                self._park(self._clock.now() + timedelta(seconds=seconds), "the provider's limit is used up", failed=0)

    def refused(self, error: ConnectoryError) -> None:
        """Pause the whole account after an answer that asks for it; any other failure concerns only the poll."""
        if not isinstance(error, RetryLaterError):
            return
        if error.provider_status != 429 and not (error.provider_status and error.retry_after):
            return
        with self._database.read() as connection:
            failures = budgets.get(connection, self._account).failures
        wait = delay_after(failures + 1, retry_after=error.retry_after)
        self._park(self._clock.now() + wait, error.message, failed=1)

    def _park(self, until: datetime, reason: str, *, failed: int) -> None:
        now = to_micros(self._clock.now())
        with self._database.write() as connection:
            row = budgets.hold(connection, self._account)
            # Requests that were already sent when the pause began do not count as further failures.
            fresh = row.parked_until <= now
            if fresh and failed and not row.failures:
                log.warning("all polls of %s wait until %s: %s", self._account.partition("|")[0], until, reason)
            row.failures += failed if fresh else 0
            if to_micros(until) > row.parked_until:
                row.parked_until, row.reason = to_micros(until), reason
                row.buckets = [(0.0, to_micros(until)) for _ in self._rates]
            budgets.put(connection, row)

    def _recover(self) -> None:
        self._failing = False
        with self._database.write() as connection:
            row = budgets.hold(connection, self._account)
            if row.failures and row.parked_until <= to_micros(self._clock.now()):
                log.info("%s answers again", self._account.partition("|")[0])
                row.failures, row.reason = 0, None
                budgets.put(connection, row)

    def _parked(self, row: BudgetRow, now: datetime) -> Pause | None:
        if row.parked_until <= to_micros(now):
            return None
        return Pause(until=from_micros(row.parked_until), reason=row.reason or "the provider asked for a pause")

    def _full(self, row: BudgetRow, holder: str, now: datetime) -> Pause | None:
        row.holders = {name: until for name, until in row.holders.items() if until > to_micros(now)}
        if self._concurrent is None or holder in row.holders or len(row.holders) < self._concurrent:
            return None
        return Pause(
            until=now + FULL,
            reason=f"this account has reached its limit of polls at the same time ({self._concurrent})",
        )

    def _drained(self, row: BudgetRow, now: datetime) -> Pause | None:
        row.buckets = self._filled(row, to_micros(now))
        waits = [
            (max(0.0, 1.0 - left) / limit.pace, limit)
            for limit, (left, _) in zip(self._rates, row.buckets, strict=True)
        ]
        wait, limit = max(waits, key=lambda pair: pair[0], default=(0.0, None))
        if limit is None or wait <= 0:
            return None
        reason = f"this account's {limit.describe()} are used up for the moment"
        return Pause(until=now + timedelta(microseconds=int(wait) + 1), reason=reason)

    def _filled(self, row: BudgetRow, now: int) -> list[tuple[float, int]]:
        """The buckets at this moment. They start full when the number of limits has changed."""
        if len(row.buckets) != len(self._rates):
            return [(float(limit.burst), now) for limit in self._rates]
        return [
            (min(float(limit.burst), left + max(0, now - at) * limit.pace), max(now, at))
            for limit, (left, at) in zip(self._rates, row.buckets, strict=True)
        ]

    def _charge(self, row: BudgetRow, holder: str, now: datetime) -> None:
        row.buckets = [(left - 1.0, at) for left, at in row.buckets]
        if self._concurrent is not None:
            row.holders[holder] = to_micros(now + HOLD)


def comes_back(pause: Pause, now: datetime, chance: Callable[[], float] = random.random) -> datetime:
    """When a poll that must wait is due: after the pause, at a random moment so that not all polls start at once."""
    seconds = max(0.0, (pause.until - now).total_seconds())
    return pause.until + timedelta(seconds=min(SPREAD, seconds / 10) * chance())
