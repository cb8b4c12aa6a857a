"""Reads the new entries of a provider's log or feed of deletions.

Each entry is handled once: its tombstone is committed together with its event, and is kept as long as the log may show
the entry again. The next search starts later in the log only if this one has read the log completely.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import duration_micros, from_micros, to_micros
from ..errors import ProviderError
from ..model import Window
from ..proof import Proof
from ..records.fetch import FetchedPage, fetch
from ..records.identify import plain
from ..records.smallerpages import in_smaller_pages
from ..records.stamps import Stamps
from ..records.window import HOUR, earliest_accepted, earliest_credible, log_settled_at, log_window
from ..store import deletions, polls
from .job import Deletion, Job
from .lists import log_parts, log_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..deletes import AuditLog, Feed, LogPart
    from ..plans.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One entry of the log, identified by `key`. `at` is the moment of the deletion in microseconds."""

    key: str
    deletion: Deletion
    at: int


def read_log(job: Job, deletes: AuditLog | Feed) -> str | None:
    """Announce the deletions in the log. Returns why the log could not be read completely, or None."""
    window = log_window(
        job.plan,
        since=job.state.since,
        tracked_from=job.state.started,
        overlap=duration_micros(deletes.overlap),
        provider_now=job.provider_now,
    )
    doubt: str | None = None
    for part in log_parts(job.plan, deletes, job, job.provider_now):
        plan = log_plan(job.plan, part.log, deletes)
        doubt = _read_part(job, deletes, part, plan, window) or doubt
    if doubt is None:
        _advance(job, window)
    return doubt


def late_warning(job: Job, deletes: AuditLog | Feed) -> str | None:
    """A warning if the provider may have removed entries that were not read yet."""
    if deletes.kept is None or from_micros(job.state.since) >= job.provider_now - deletes.kept:
        return None
    since = from_micros(job.state.since).isoformat(timespec="seconds")
    return f"the provider may have removed deletions since {since} from its log: it keeps {_days(deletes.kept)}"


def _days(duration: timedelta) -> str:
    return f"{duration / timedelta(days=1):g} days"


def _read_part(job: Job, deletes: AuditLog | Feed, part: LogPart, plan: Plan, window: Window) -> str | None:
    def read(page_size: int) -> str | None:
        proof = Proof(total=deletes.total, counts=deletes.counts, page_size=page_size)
        return _read_pages(job, part, plan, window, proof)

    return in_smaller_pages(plan.element.page_size, read)


def _read_pages(job: Job, part: LogPart, plan: Plan, window: Window, proof: Proof) -> str | None:
    start = plan.floor(to_micros(window.start))
    stamps = Stamps(codec=plan.updated_codec)
    keys: set[str] = set()
    for page in fetch(plan, Window(start=from_micros(start), end=window.end), job, proof.page_size):
        proof.see(page.response, page.records.ids)
        entries = list(_entries(plan, part, page, stamps, start))
        keys.update(entry.key for entry in entries)
        _bury(job, [entry for entry in entries if entry.at >= earliest_accepted(plan, start)])
    return proof.end(len(keys))


def _entries(plan: Plan, part: LogPart, page: FetchedPage, stamps: Stamps, start: int) -> Iterator[LogEntry]:
    if not page.records.usable:
        return
    for row, key, raw in zip(page.records.rows, page.records.ids, page.records.raws, strict=True):
        if key is None:
            continue
        fields = msgspec.json.decode(raw)
        at = stamps.micros(plan.updated(row)) if plan.updated is not None else None
        _check(plan, part, key, fields, at, start)
        object_id = plain(plan.object_id(row) if plan.version is None else plan.version(row))
        if at is not None and object_id not in (None, ""):
            proof = f"{key} {at}"
            shown = {name: value for name, value in fields.items() if value not in (None, "")}
            yield LogEntry(
                key=proof, at=at, deletion=Deletion(object_id=str(object_id), date=at, proof=proof, fields=shown)
            )


def _check(plan: Plan, part: LogPart, key: str, fields: dict[str, Any], at: int | None, start: int) -> None:
    """Raise if the date of this entry cannot be read, or if the request excludes it: then no entry proves anything.

    An entry that the request excludes shows that the provider ignored the filter. An entry without a readable date may
    be an existing record, which a provider shows if it does not know the parameter of a `Feed`.
    """
    if at is None:
        raise ProviderError(
            f"the log entry {key} has no readable deletion date",
            where=plan.name,
            hint="check the log's date field and date format, and whether the provider knows the filter of the log",
        )
    if at < earliest_credible(plan, start):
        reason = "is older than the request asked for"
    elif not part.accepts(fields):
        reason = "does not match the request"
    else:
        return
    raise ProviderError(
        f"the provider ignored the filter: {key} {reason}",
        where=plan.name,
        hint="no deletion was announced or skipped",
    )


def _bury(job: Job, entries: Sequence[LogEntry]) -> None:
    """Announce the entries that were not handled before, and store their tombstones."""
    if not entries:
        return
    with job.database.read() as connection:
        done = deletions.buried(connection, job.poll, [entry.key for entry in entries])
    fresh = {entry.key: entry for entry in entries if entry.key not in done}
    if not fresh:
        return
    found = [entry.deletion for entry in fresh.values()]
    confirmed = [one for one in found if not job.confirms or job.is_deleted(one.object_id)]
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        announced = job.announce(connection, confirmed)
        deletions.bury(connection, job.poll, {entry.key: entry.at for entry in fresh.values()})
    job.tell(announced)


def _advance(job: Job, window: Window) -> None:
    # The window was computed before the first answer, and the provider's clock may have been set back since.
    until = min(to_micros(window.end), log_settled_at(job.plan, job.state.since, job.provider_now))
    poll = job.poll
    done = {"since": until, "completed_at": to_micros(job.clock.now())}
    with job.database.write() as connection:
        polls.hold(connection, poll)
        deletions.change(connection, poll.instance_id, poll.resource, done)
        # Keep one hour more than the next search reads, because stamps may be coarse and clocks may be put back.
        deletions.forget_buried(connection, poll, to_micros(window.start) - HOUR)
