"""Looks for deletions if an entry asks for it with `trackDeletes`, as the first part of its poll.

It comes first because an object may be deleted and created again between two polls: then DELETED is announced before
CREATED. If a search fails, the poll goes on: the reason is in the poll's summary and in the state of the instance, and
the search is tried again later.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..backoff import delay_after
from ..clock import from_micros, to_micros
from ..deletes import Sweep
from ..errors import AuthenticationError, ConnectoryError, ProviderError, StaleLeaseError, StoreError
from ..store import deletions, polls
from .job import Job
from .log import late_warning, read_log
from .sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..instances.runtime import Runtime
    from ..plans.plan import Plan
    from ..records.changes import Change
    from ..records.outbox import AnnouncedEvent
    from ..records.summary import Summary
    from ..store.database import Database
    from ..store.deletions import DeletionRow
    from ..store.polls import PollRow
    from .job import Exchange

    Watch = Callable[[Sequence[AnnouncedEvent]], None]

log = logging.getLogger(__name__)


class Deletions:
    """Searches for the deletions of polled resources, and keeps the state of these searches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def search(self, poll: PollRow, runtime: Runtime, summary: Summary, *, exchange: Exchange, watch: Watch) -> None:
        """Announce what was deleted, if the poll's entry asks for it and the search is due."""
        plan = runtime.plan(poll.resource)
        if plan.entry.track_deletes is None:
            return
        job = Job(
            database=self._database,
            clock=self._clock,
            poll=poll,
            plan=plan,
            runtime=runtime,
            state=self._state(poll, runtime),
            exchange=exchange,
            watch=watch,
        )
        if job.state.next_due_at <= to_micros(self._clock.now()):
            self._search(job, summary)
        summary.deleted += job.deleted
        state = self._state(poll, runtime)
        summary.warnings += [f"deletions: {text}" for text in (state.alarm, state.failure) if text]

    def remember(self, connection: Connection, poll: PollRow, plan: Plan, changes: Sequence[Change]) -> None:
        """Store which objects a page showed, in the page's transaction: a sweep looks for the objects stored here."""
        if plan.entry.track_deletes is not None and isinstance(plan.resource.deletes, Sweep):
            deletions.add_objects(connection, poll, [change.object_id for change in changes])

    def _state(self, poll: PollRow, runtime: Runtime) -> DeletionRow:
        with self._database.read() as connection:
            state = deletions.get(connection, poll.instance_id, poll.resource)
        if state is not None:
            return state
        with self._database.write() as connection:
            polls.hold(connection, poll)
            now = to_micros(self._clock.now())
            return deletions.begin(connection, poll, started=_beginning(poll, runtime), now=now)

    def _search(self, job: Job, summary: Summary) -> None:
        try:
            deletes = job.deletes
            if isinstance(deletes, Sweep):
                doubt = sweep(job, deletes)
            else:
                late = late_warning(job, deletes)
                doubt = read_log(job, deletes)
                summary.warnings += [f"deletions: {late}"] if late and doubt is None else []
        except (StaleLeaseError, StoreError, AuthenticationError):
            raise
        except ConnectoryError as error:
            self._failed(job, str(error), delay_after(job.state.failures + 1, retry_after=_retry_after(error)))
            if isinstance(error, ProviderError) and error.provider_status == 429:
                # The provider asked for a pause, so the poll must not go on either.
                raise
        else:
            self._ended(job, doubt)

    def _ended(self, job: Job, doubt: str | None) -> None:
        interval = _interval(job)
        if doubt is not None:
            reason = f"the list could not be read completely, so it proves nothing: {doubt}"
            self._failed(job, reason, max(interval, delay_after(job.state.failures + 1)))
            return
        if job.state.failures:
            log.info("deletions of %s of instance %s can be found again", job.poll.resource, job.poll.instance_id)
        self._write(job, {"failures": 0, "failure": None}, interval)

    def _failed(self, job: Job, reason: str, wait: timedelta) -> None:
        if not job.state.failures:
            log.warning("deletions of %s of instance %s: %s", job.poll.resource, job.poll.instance_id, reason)
        self._write(job, {"failures": job.state.failures + 1, "failure": reason}, wait)

    def _write(self, job: Job, values: dict[str, Any], wait: timedelta) -> None:
        due = {"next_due_at": to_micros(self._clock.now() + wait)}
        with self._database.write() as connection:
            polls.hold(connection, job.poll)
            deletions.change(connection, job.poll.instance_id, job.poll.resource, values | due)


def _beginning(poll: PollRow, runtime: Runtime) -> int:
    """When tracking begins. A first poll that goes back in time announces no deletions from before the instance."""
    if poll.polled_at is not None:
        return poll.since
    created_at = runtime.provider_now(from_micros(runtime.row.created_at))
    return max(poll.since, to_micros(created_at))


def _interval(job: Job) -> timedelta:
    options = job.plan.entry.track_deletes
    return job.deletes.interval if options is None or options.interval is None else options.interval


def _retry_after(error: ConnectoryError) -> float | None:
    seconds: float | None = getattr(error, "retry_after", None)
    return seconds
