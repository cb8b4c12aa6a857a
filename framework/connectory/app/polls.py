"""`app.polls`: poll now, show and move cursors, announce missed changes, and record polls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import to_micros
from ..polling import cursor
from ..polling.backfill import backfill
from ..polling.poller import Poller
from ..polling.scheduler import Scheduler
from ..store import polls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from ..instances.login.keepalive import KeepAlive
    from ..instances.parts import Parts
    from ..polling.backfill import Backfilled
    from ..polling.cursor import Cursor
    from ..records.summary import Observer
    from .acts import Acts
    from .instances import Instances


class Polls:
    """The polls of a store. An instance is given by its id or its name."""

    def __init__(self, parts: Parts, acts: Acts, instances: Instances) -> None:
        self._parts = parts
        self._acts = acts
        self._instances = instances

    def run_due(self, *, instances: Iterable[int | str] | None = None, observer: Observer | None = None) -> int:
        """Poll once everything that is due now, in this thread, and return how many polls ran."""
        return scheduler_of(self._parts, observer, self._instances.ids_of(instances)).run_once()

    def make_due(self, instances: Iterable[int | str], *, actor: str | None = None) -> None:
        """Make all polls of these instances due now, including those that wait after a failure."""
        for instance_id in self._instances.ids_of(instances) or ():
            with self._acts.change("polls.make_due", actor, instance_id), self._parts.database.write() as connection:
                polls.make_due(connection, [instance_id], to_micros(self._parts.clock.now()))

    def cursor(self, instance: int | str, resource: str) -> Cursor:
        """The moment up to which a resource was announced, and the window of its next poll."""
        return cursor.show(self._parts, self._instances.id_of(instance), resource)

    def rewind(self, instance: int | str, resource: str, since: datetime, *, actor: str | None = None) -> Cursor:
        """Poll again from a past moment. Versions that were announced are not announced again.

        Raises `ConflictError` while the resource is being polled.
        """
        instance_id = self._instances.id_of(instance)
        with self._acts.change("polls.rewind", actor, instance_id):
            return cursor.rewind(self._parts, instance_id, resource, since)

    def reset(self, instance: int | str, resource: str, to: str = "now", *, actor: str | None = None) -> Cursor:
        """Start again as a new instance would: from `now`, with `all` records, or from an ISO date.

        Raises `ConflictError` while the resource is being polled.
        """
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
        """Announce the changes from `start` to `end` that were not announced yet. `end` is the cursor by default.

        A dry run asks the provider and counts the changes, but writes nothing.
        """
        instance_id = self._instances.id_of(instance)
        if dry_run:
            from ..insight.rehearsal import rehearse

            return rehearse(self._parts, instance_id, resource, start, end)
        with self._acts.change("polls.backfill", actor, instance_id):
            return backfill(self._parts, instance_id, resource, start, end, observer)

    def record(
        self, path: Path, *, instances: Iterable[int | str] | None = None, observer: Observer | None = None
    ) -> int:
        """Poll once what is due, and write all requests and answers to a file, without secrets.

        Returns how many polls ran. `app.elements.replay` explains them from the file.
        """
        from ..insight.recorder import recording_scheduler
        from ..insight.recording import RecordingFile

        ids = self._instances.ids_of(instances)
        with RecordingFile(path) as file:
            return recording_scheduler(self._parts, file, ids, observer).run_once()


def scheduler_of(
    parts: Parts,
    observer: Observer | None = None,
    instance_ids: Collection[int] | None = None,
    keep_alive: KeepAlive | None = None,
) -> Scheduler:
    """A scheduler that polls all instances of a store, or some."""
    return Scheduler(
        parts.database,
        Poller(parts.database, parts.runtimes, parts.clock, observer, parts.snapshots_kept),
        parts.clock,
        parts.process,
        workers=parts.settings.workers,
        instance_ids=instance_ids,
        keep_alive=keep_alive,
    )
