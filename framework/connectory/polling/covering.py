"""Reads one window of one resource, page after page, within the account's budget."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..instances.budget import holder_of
from ..records.fetch import fetch
from ..records.fieldchanges import tracker_of
from ..records.smallerpages import in_smaller_pages
from .pages import Pages
from .reading import Reading, Ways

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import timedelta

    from ..clock import Clock
    from ..deletions.search import Deletions
    from ..http import PageTooHeavyError
    from ..instances.runtime import Runtime
    from ..model import Response, Window
    from ..records.summary import Observer, Summary
    from ..store.database import Database
    from ..store.polls import PollRow

log = logging.getLogger(__name__)


class Covering:
    """Reads the windows of claimed polls. Once `stopping` is set, a poll ends instead of waiting for its turn.

    If changes are tracked, the last version of each object is kept for `snapshots_kept` after its last change.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        observer: Observer,
        deletions: Deletions,
        snapshots_kept: timedelta,
        stopping: threading.Event,
    ) -> None:
        self._clock = clock
        self._pages = Pages(database, clock, observer, deletions)
        self._snapshots_kept = snapshots_kept
        self._stopping = stopping

    def cover(
        self,
        poll: PollRow,
        runtime: Runtime,
        window: Window,
        summary: Summary,
        keep: Callable[[], None],
        ways: Ways | None = None,
    ) -> None:
        """Read one window and announce what is new in it. `keep` is called after each page and while waiting."""
        plan = runtime.plan(poll.resource)
        reading = Reading(
            poll=poll,
            plan=plan,
            runtime=runtime,
            summary=summary,
            window=window,
            tracker=tracker_of(plan, self._snapshots_kept),
            ways=ways or Ways(),
        )

        def shrunk(page_size: int, smaller: int, _error: PageTooHeavyError) -> None:
            log.warning("%s: a page of %d records is too heavy, continuing with %d", poll.resource, page_size, smaller)
            runtime.page_sizes[poll.resource] = smaller
            self._await_turn(reading, keep)

        in_smaller_pages(runtime.page_size(poll.resource), lambda size: self._read(reading, size, keep), shrunk)

    def _read(self, reading: Reading, page_size: int, keep: Callable[[], None]) -> None:
        client = reading.ways.exchanger or reading.runtime.client
        for page in fetch(reading.plan, reading.window, client, page_size):
            if page.number == 1:
                reading.begin(page, self._clock.now())
            self._pages.take(reading, page)
            keep()
            self._learn(reading, page.response)
            if not page.last:
                self._await_turn(reading, keep)
            # Drop the page before the next one is read, so that only one is in memory.
            del page

    def _learn(self, reading: Reading, response: Response) -> None:
        if reading.runtime.budget is not None:
            reading.runtime.budget.learn(response)

    def _await_turn(self, reading: Reading, keep: Callable[[], None]) -> None:
        if reading.runtime.budget is not None:
            reading.runtime.budget.wait(holder_of(reading.poll), keep, self._stopping)
