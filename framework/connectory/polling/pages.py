"""Commits the pages of a window, each in one transaction.

A page's events, notifications, deliveries and `seen` rows are committed together, and the cursor with the last page.
Each commit proves that the claim of the poll still stands.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..records.known import recall
from ..store import polls
from .endings import covered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..deletions.search import Deletions
    from ..records.changes import Change
    from ..records.fetch import FetchedPage
    from ..records.identify import Identified
    from ..records.outbox import AnnouncedEvent
    from ..records.summary import Observer
    from ..store.database import Database
    from .reading import Reading

log = logging.getLogger(__name__)


class Pages:
    def __init__(self, database: Database, clock: Clock, observer: Observer, deletions: Deletions) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        self._deletions = deletions

    def take(self, reading: Reading, page: FetchedPage) -> None:
        """Classify a page, commit what it changes, and tell the observer."""
        changes = self._classify(reading, page.records)
        reading.ways.classified(changes)
        reading.summary.count_page(page.records)
        changes = reading.choose(changes)
        announced: list[AnnouncedEvent] = []
        if changes or page.last:
            with self._database.write() as connection:
                if changes:
                    polls.hold(connection, reading.poll)
                    announced = self._announce(connection, reading, page.records, changes)
                if page.last:
                    (reading.ways.finish or self._finish)(connection, reading)
        if announced:
            self._observer.announced(announced)
        self._observer.page_read(reading.summary)

    def _classify(self, reading: Reading, records: Identified) -> list[Change]:
        ids = {object_id for object_id in records.ids if object_id is not None}
        if not ids:
            return []
        with self._database.read() as connection:
            known = recall(connection, reading.poll, ids)
        changes = reading.sort_out(records, known)
        if reading.tracker is None or not changes:
            return changes
        with self._database.read() as connection:
            return reading.tracker.compare(connection, reading.poll, changes, records.raws)

    def _announce(
        self, connection: Connection, reading: Reading, records: Identified, changes: Sequence[Change]
    ) -> list[AnnouncedEvent]:
        poll, now = reading.poll, self._clock.now()
        seen = [
            (poll.instance_id, poll.resource, change.object_id, change.version, change.sequence, change.date)
            for change in changes
        ]
        polls.put_seen(connection, seen)
        self._deletions.remember(connection, poll, reading.plan, changes)
        if reading.tracker is not None:
            reading.tracker.remember(connection, poll, changes, records.raws, now)
        news = [change for change in changes if change.meaning.is_announced]
        return reading.outbox.publish(connection, news, records.raws, now) if news else []

    def _finish(self, connection: Connection, reading: Reading) -> None:
        poll, now = reading.poll, self._clock.now()
        if poll.failures:
            log.info("poll of %s of instance %s works again", poll.resource, poll.instance_id)
        state = covered(reading, now)
        polls.finish(connection, poll, state)
        if reading.summary.records:
            polls.prune_seen(connection, poll, state["seen_from"])
        if reading.tracker is not None:
            reading.tracker.prune(connection, poll, now)
