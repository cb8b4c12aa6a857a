"""Looks for deletions where an entry asks for it with `trackDeletes`, as the first part of its poll.

First, because an object may be deleted and made again between two polls: then it is DELETED, and after that CREATED.
A search that fails does not keep the poll from its work; it says why in the poll's summary and in the instance's
state, and comes back later.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..backoff import delay_after
from ..clock import from_micros, to_micros
from ..deletes import Proof, Sweep
from ..errors import (
    AuthenticationError,
    ConflictError,
    ConnectoryError,
    NotFoundError,
    ProviderError,
    StaleLeaseError,
    StoreError,
)
from ..model import Window
from ..records.fetch import fetch
from ..store import deletions, polls
from .job import Job
from .log import is_late, log_parts, log_plan, read_log
from .sweep import sweep, sweep_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..deletes import Deletes
    from ..instances.runtime import Runtime
    from ..plans.plan import Plan
    from ..records.changes import Change
    from ..records.outbox import Announced
    from ..records.summary import Summary
    from ..store.database import Database
    from ..store.deletions import DeletionRow
    from ..store.polls import PollRow
    from .job import Exchange

    Watch = Callable[[Sequence[Announced]], None]

log = logging.getLogger(__name__)


class Deletions:
    """The deletions of the resources of one store."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def search(self, poll: PollRow, runtime: Runtime, summary: Summary, *, exchange: Exchange, watch: Watch) -> None:
        """Announce what was deleted, where the poll's entry asks for it and it is time."""
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
        """Know of the objects that a page brought, for sweeps to miss them; in the transaction of the page."""
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
        deletes = job.deletes
        try:
            if isinstance(deletes, Sweep):
                doubt = sweep(job, deletes)
            else:
                late = is_late(job, deletes)
                doubt = read_log(job, deletes)
                summary.warnings += [f"deletions: {late}"] if late and doubt is None else []
        except (StaleLeaseError, StoreError, AuthenticationError):
            raise
        except ConnectoryError as error:
            self._failed(job, str(error), delay_after(job.state.failures + 1, retry_after=_retry_after(error)))
            if isinstance(error, ProviderError) and error.provider_status == 429:
                # The account is to be left alone: so is the rest of this poll.
                raise
        else:
            self._ended(job, doubt)

    def _ended(self, job: Job, doubt: str | None) -> None:
        interval = _interval(job)
        if doubt is not None:
            reason = f"not all of it could be read, so it proves nothing: {doubt}"
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

    # For people

    def allow_mass_delete(self, instance_id: int, resource: str) -> None:
        """Believe that as many objects were deleted as the last sweep missed; what is still missing from the next one,
        which runs with the next poll, is announced."""
        with self._database.write() as connection:
            state = deletions.get(connection, instance_id, resource)
            if state is None:
                raise NotFoundError(
                    f"deletions of {resource} of instance {instance_id} are not tracked",
                    hint="set trackDeletes in its poller entry",
                )
            if state.alarm is None:
                raise ConflictError(
                    f"there is no alarm: deletions of {resource} of instance {instance_id} are announced as it is"
                )
            now = to_micros(self._clock.now())
            deletions.change(connection, instance_id, resource, {"allowed": True, "next_due_at": now})

    def check(self, runtime: Runtime, resource: str) -> str | None:
        """Whether deletions can be found, by asking for the first page of the last minute; why not, or None."""
        plan = runtime.plan(resource)
        deletes = plan.resource.deletes
        if deletes is None:
            return "the element knows no way to find them"
        now = runtime.provider_now(self._clock.now())
        window = Window(start=now - timedelta(minutes=1), end=now)
        try:
            if isinstance(deletes, Sweep):
                return _first_doubt(sweep_plan(plan, deletes), deletes, window, runtime)
            parts = log_parts(plan, deletes, runtime.client, now)
            doubts = [_first_doubt(log_plan(plan, part.log, deletes), deletes, window, runtime) for part in parts]
        except ConnectoryError as error:
            return str(error)
        return next((doubt for doubt in doubts if doubt), None)


def _beginning(poll: PollRow, runtime: Runtime) -> int:
    """When tracking begins. A first poll that goes back in time announces no deletions of objects that nobody knew."""
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


def _first_doubt(plan: Plan, deletes: Deletes, window: Window, runtime: Runtime) -> str | None:
    page_size = plan.element.page_size
    proof = Proof(total=deletes.total, counts=deletes.counts, page_size=page_size)
    for page in fetch(plan, window, runtime.client, page_size):
        proof.see(page.response, page.records.ids)
        return proof.doubt
    return "the provider gave no page"
