"""`app.polls`: poll now, look at cursors and move them, announce a span again, record what a provider says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import to_micros
from ..insight.recorder import recording_scheduler
from ..insight.recording import RecordingFile
from ..insight.rehearsal import rehearse
from ..polling import cursor
from ..polling.backfill import backfill
from ..polling.poller import Poller
from ..polling.scheduler import Scheduler
from ..store import polls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from ..instances.keepalive import KeepAlive
    from ..instances.parts import Parts
    from ..polling.backfill import Backfilled
    from ..polling.cursor import Cursor
    from ..records.summary import Observer
    from .acts import Acts
    from .instances import Instances


class Polls:
    """The polls of a store. Instances are named by id or name; `actor` is who makes a change."""

    def __init__(self, parts: Parts, acts: Acts, instances: Instances) -> None:
        self._parts = parts
        self._acts = acts
        self._instances = instances

    def run_due(self, *, instances: Iterable[int | str] | None = None, observer: Observer | None = None) -> int:
        """Poll everything that is due now, once each, in this thread; returns how many polls ran."""
        return scheduler_of(self._parts, observer, self._instances.ids_of(instances)).run_once()

    def make_due(self, instances: Iterable[int | str], *, actor: str | None = None) -> None:
        """Let the next look find these instances' polls due, those that wait after a failure too."""
        for instance_id in self._instances.ids_of(instances) or ():
            with self._acts.change("polls.make_due", actor, instance_id), self._parts.database.write() as connection:
                polls.make_due(connection, [instance_id], to_micros(self._parts.clock.now()))

    def cursor(self, instance: int | str, resource: str) -> Cursor:
        """Up to where a resource was announced, and what the next poll would ask for."""
        return cursor.show(self._parts, self._instances.id_of(instance), resource)

    def rewind(self, instance: int | str, resource: str, since: datetime, *, actor: str | None = None) -> Cursor:
        """Poll again from a moment on; versions that were announced stay quiet. Refused while the poll runs."""
        instance_id = self._instances.id_of(instance)
        with self._acts.change("polls.rewind", actor, instance_id):
            return cursor.rewind(self._parts, instance_id, resource, since)

    def reset(self, instance: int | str, resource: str, to: str = "now", *, actor: str | None = None) -> Cursor:
        """Begin as a new instance does: from `now` on, `all`, or from an ISO date. Refused while the poll runs."""
        instance_id = self._instances.id_of(instance)
        with self._acts.change("polls.reset", actor, instance_id):
            return cursor.reset(self._parts, instance_id, resource, to)

    def backfill(
        self,
        instance: int | str,
        resource: str,
        start: datetime,
        end: datetime | None = None,
        *,
        dry_run: bool = False,
        observer: Observer | None = None,
        actor: str | None = None,
    ) -> Backfilled:
        """Announce what was never announced from `start` to `end`, which is by default where the cursor is.

        A dry run asks the provider and counts, and writes nothing.
        """
        instance_id = self._instances.id_of(instance)
        if dry_run:
            return rehearse(self._parts, instance_id, resource, start, end)
        with self._acts.change("polls.backfill", actor, instance_id):
            return backfill(self._parts, instance_id, resource, start, end, observer)

    def record(
        self, path: Path, *, instances: Iterable[int | str] | None = None, observer: Observer | None = None
    ) -> int:
        """Poll what is due, and write to a file what was asked and answered, without secrets; returns how many ran."""
        ids = self._instances.ids_of(instances)
        with RecordingFile(path) as file:
            return recording_scheduler(self._parts, file, ids, observer).run_once()


def scheduler_of(
    parts: Parts,
    observer: Observer | None = None,
    instance_ids: Collection[int] | None = None,
    keep_alive: KeepAlive | None = None,
) -> Scheduler:
    """What polls a store's instances, or those of the given ids only."""
    return Scheduler(
        parts.database,
        Poller(parts.database, parts.runtimes, parts.clock, observer, parts.snapshots_kept),
        parts.clock,
        parts.owner,
        workers=parts.settings.workers,
        instance_ids=instance_ids,
        keep_alive=keep_alive,
    )
