"""Lists all ids of a resource and finds out which of the known objects are gone.

A sweep announces nothing unless its listing is provably complete, and nothing where more is missing than may vanish at
once: a lost right looks just like a mass deletion. The ids go through memory one page at a time; which of them were
listed is written down in the store.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ..clock import from_micros, to_micros
from ..deletes import Proof
from ..errors import ProviderError
from ..model import PollerEntry, Window
from ..plans.compiling import compile_plan
from ..records.changes import plain
from ..records.fetch import FetchedPage, fetch, in_smaller_pages
from ..store import deletions, polls
from .job import Gone, Job, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..deletes import Sweep
    from ..plans.plan import Plan
    from ..store.deletions import Census

log = logging.getLogger(__name__)

# Fewer may always vanish at once: of ten objects, two are a share of 20 %.
ALWAYS_ALLOWED = 5
CHUNK = 200


def sweep(job: Job, deletes: Sweep) -> str | None:
    """Announce what is gone; why the sweep proves nothing, or None."""
    number = _begin(job)
    doubt = _list(job, deletes, number)
    if doubt is not None:
        return doubt
    with job.database.read() as connection:
        census = deletions.count_objects(connection, job.poll, number)
    alarm = alarm_of(job, census)
    allowed = job.state.allowed
    _complete(job, number, None if allowed else alarm)
    if alarm is not None and not allowed:
        return None
    if census.missing:
        _announce(job, deletes, number, misses=_misses_needed(job, allowed=allowed))
    return None


def alarm_of(job: Job, census: Census) -> str | None:
    """Why so many missing objects are not believed to be deleted; None where they may be."""
    options = job.plan.entry.track_deletes
    share = options.max_share if options is not None else 0.0
    most = max(ALWAYS_ALLOWED, int(share * census.known))
    if not census.missing or (census.listed and census.missing <= most):
        return None
    much = f"more than the {most} that may be deleted at once" if census.listed else "and the list is empty"
    return (
        f"{census.missing} of {census.known} {job.plan.name} are missing, {much}: no deletion is announced until"
        " somebody allows it, for the login may have lost a right"
    )


def sweep_plan(plan: Plan, deletes: Sweep) -> Plan:
    """The resource as a list of nothing but ids, whenever they changed and whatever the poll's own URL leaves out."""
    resource = replace(
        plan.resource, params=merged(plan.resource.params, deletes.params), version_field=None, poller=None
    )
    entry = PollerEntry(url=f"/hubs/{plan.element.hub}/{resource.name}", id_field=plan.entry.id_field)
    compiled = compile_plan(
        f"{plan.name}.trackDeletes",
        entry,
        element=plan.element,
        resources={resource.name: replace(resource, deletes=None)},
        plugins=plan.plugins,
    )
    return replace(compiled, is_windowed=False)


def _begin(job: Job) -> int:
    number = job.state.sweep + 1
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        deletions.change(connection, job.poll.instance_id, job.poll.resource, {"sweep": number})
    return number


def _list(job: Job, deletes: Sweep, number: int) -> str | None:
    """List everything, in smaller pages where the provider cannot give large ones."""
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
    """None for a record that does not show its id, whatever else it shows."""
    for row in page.records.rows:
        value = plain(plan.object_id(row))
        yield None if value is None or value == "" else str(value)


def _complete(job: Job, number: int, alarm: str | None) -> None:
    poll = job.poll
    if alarm is not None and job.state.alarm is None:
        log.warning("deletions of %s of instance %s: %s", poll.resource, poll.instance_id, alarm)
    # A consent was for what an earlier sweep has missed, and which this one misses for the second time. It ends here,
    # before anything is announced: what is missing for the first time now has to pass the next sweep by itself.
    done = {"completed_at": to_micros(job.clock.now()), "alarm": alarm, "allowed": False}
    with job.database.write() as connection:
        polls.hold(connection, poll)
        deletions.count_miss(connection, poll, number)
        deletions.change(connection, poll.instance_id, poll.resource, done)


def _misses_needed(job: Job, *, allowed: bool) -> int:
    """A GET by id proves what one sweep missed. Nobody wants one for each object of a mass deletion: two sweeps do."""
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
        gone = [key for key in missing if misses > 1 or job.is_gone(key, deletes.params)]
        _bury(job, number, gone, there=sorted(set(missing) - set(gone)))
        after = missing[-1]


def _check_items(job: Job, deletes: Sweep, number: int) -> None:
    """Ask for an object that was listed just now: were it not found, then not finding another one would say nothing."""
    with job.database.read() as connection:
        listed = deletions.any_listed(connection, job.poll, number)
    if listed is not None and job.is_gone(listed, deletes.params):
        raise ProviderError(
            f"{listed} is in the list, but is not found by its id",
            where=job.plan.resource.path + deletes.item_path,
            hint='`"trackDeletes": {"confirm": false}` waits for a second sweep instead of asking for each object',
        )


def _bury(job: Job, number: int, gone: Sequence[str], there: Sequence[str]) -> None:
    date = to_micros(job.provider_now)
    found = [Gone(object_id=key, date=date, proof=f"missing from sweep {number}") for key in gone]
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        told = job.announce(connection, found)
        # They left the list without being deleted; should they come back to it, they are known again.
        deletions.forget_objects(connection, job.poll, there)
    job.tell(told)
