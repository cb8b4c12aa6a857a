"""Lists all ids of a resource and finds the known objects that are missing from the list.

A sweep announces nothing unless its list is provably complete, and nothing if more objects are missing than may be
deleted at once (see `alarm`). Only one page of ids is in memory at a time; the store records which ids were listed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..clock import from_micros, to_micros
from ..errors import ProviderError
from ..model import Window
from ..proof import Proof
from ..records.fetch import FetchedPage, fetch
from ..records.identify import id_text
from ..records.smallerpages import in_smaller_pages
from ..store import deletions, polls
from .alarm import alarm_of
from .job import Deletion, Job
from .lists import sweep_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..deletes import Sweep
    from ..plans.plan import Plan

log = logging.getLogger(__name__)

CHUNK = 200


def sweep(job: Job, deletes: Sweep) -> str | None:
    """Announce the missing objects as deleted. Returns why the sweep proves nothing, or None."""
    number = _begin(job)
    doubt = _list(job, deletes, number)
    if doubt is not None:
        return doubt
    with job.database.read() as connection:
        census = deletions.count_objects(connection, job.poll, number)
    alarm = alarm_of(job.plan, census)
    allowed = job.state.allowed
    _complete(job, number, None if allowed else alarm)
    if alarm is not None and not allowed:
        return None
    if census.missing:
        _announce(job, deletes, number, misses=_misses_needed(job, allowed=allowed))
    return None


def _begin(job: Job) -> int:
    number = job.state.sweep + 1
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        deletions.change(connection, job.poll.instance_id, job.poll.resource, {"sweep": number})
    return number


def _list(job: Job, deletes: Sweep, number: int) -> str | None:
    """List all ids. Returns why the list may be incomplete, or None."""
    plan = sweep_plan(job.plan, deletes)

    def read(page_size: int) -> str | None:
        proof = Proof(total=deletes.total, counts=deletes.counts, page_size=page_size, ascending=deletes.ascending)
        _read(job, plan, proof, number)
        with job.database.read() as connection:
            distinct = deletions.count_objects(connection, job.poll, number).listed
        return proof.end(distinct)

    return in_smaller_pages(deletes.page_size or plan.element.page_size, read)


def _read(job: Job, plan: Plan, proof: Proof, number: int) -> None:
    now = from_micros(to_micros(job.provider_now))
    for page in fetch(plan, Window(start=now, end=now), job, proof.page_size):
        ids = list(_ids(plan, page))
        proof.see(page.response, ids)
        with job.database.write() as connection:
            polls.hold(connection, job.poll)
            deletions.list_objects(connection, job.poll, [key for key in ids if key is not None], number)
        if proof.doubt is not None:
            return
        del page


def _ids(plan: Plan, page: FetchedPage) -> Iterator[str | None]:
    """The id of each record; None if the record does not show its id, even if it has other content."""
    for row in page.records.rows:
        yield id_text(plan.object_id(row))


def _complete(job: Job, number: int, alarm: str | None) -> None:
    poll = job.poll
    if alarm is not None and job.state.alarm is None:
        log.warning("deletions of %s of instance %s: %s", poll.resource, poll.instance_id, alarm)
    # The permission covers only objects that an earlier sweep missed as well. It is used up here, before anything is
    # announced. So objects that are missing for the first time can cause a new alarm in the next sweep.
    done = {"completed_at": to_micros(job.clock.now()), "alarm": alarm, "allowed": False}
    with job.database.write() as connection:
        polls.hold(connection, poll)
        deletions.count_miss(connection, poll, number)
        deletions.change(connection, poll.instance_id, poll.resource, done)


def _misses_needed(job: Job, *, allowed: bool) -> int:
    """How many sweeps must miss an object. A GET by id replaces the second one, except in a mass deletion."""
    return 1 if job.confirms and not allowed else 2


def _announce(job: Job, deletes: Sweep, number: int, *, misses: int) -> None:
    if misses == 1:
        _check_items(job, deletes, number)
    after = ""
    while True:
        with job.database.read() as connection:
            missing = deletions.missing_objects(connection, job.poll, number, misses=misses, after=after, limit=CHUNK)
        if not missing:
            return
        deleted = [key for key in missing if misses > 1 or job.is_deleted(key, deletes.params)]
        _bury(job, number, deleted, existing=sorted(set(missing) - set(deleted)))
        after = missing[-1]


def _check_items(job: Job, deletes: Sweep, number: int) -> None:
    """Ask for an object that was just listed: if that is not found, "not found" proves nothing for other objects."""
    with job.database.read() as connection:
        listed = deletions.any_listed(connection, job.poll, number)
    if listed is not None and job.is_deleted(listed, deletes.params):
        raise ProviderError(
            f"{listed} is in the list, but is not found by its id",
            where=job.plan.resource.path + deletes.item_path,
            hint='`"trackDeletes": {"confirm": false}` waits for a second sweep instead of asking for each object',
        )


def _bury(job: Job, number: int, deleted: Sequence[str], existing: Sequence[str]) -> None:
    date = to_micros(job.provider_now)
    found = [Deletion(object_id=key, date=date, proof=f"missing from sweep {number}") for key in deleted]
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        announced = job.announce(connection, found)
        # These objects left the list but still exist. They become known again when a poll or a sweep shows them.
        deletions.forget_objects(connection, job.poll, existing)
    job.tell(announced)
