"""Reads what a provider's log or feed of deletions has to say since it was read last.

Each entry is dealt with once: its tombstone is committed with its event, and is kept as far back as the log is read
again. The place from which the log is read next moves only where it was read whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import duration_micros, from_micros, to_micros
from ..deletes import AuditLog, LogPart, Proof
from ..errors import ConnectoryError, PluginError, ProviderError
from ..model import DatesConfiguration, PollerEntry, Window
from ..plans.compiling import compile_plan
from ..records.changes import HOUR, Stamps, plain
from ..records.fetch import FetchedPage, fetch, in_smaller_pages
from ..store import deletions, polls
from .job import Gone, Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ..deletes import Feed, Sender
    from ..model import Resource
    from ..plans.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    key: str
    gone: Gone
    at: int


def read_log(job: Job, deletes: AuditLog | Feed) -> str | None:
    """Announce what the log says; why it could not be read whole, or None."""
    window = log_window(job, deletes)
    doubt: str | None = None
    for part in log_parts(job.plan, deletes, job, job.provider_now):
        plan = log_plan(job.plan, part.log, deletes)
        doubt = _read_part(job, deletes, part, plan, window) or doubt
    if doubt is None:
        _advance(job, window)
    return doubt


def log_window(job: Job, deletes: AuditLog | Feed) -> Window:
    start = max(job.state.since - duration_micros(deletes.overlap), job.state.started)
    return Window(start=from_micros(start), end=from_micros(_settled(job)))


def _settled(job: Job) -> int:
    """Up to where the log is read now, by the provider's clock as its last answer showed it."""
    return max(job.state.since, to_micros(job.provider_now - job.plan.element.settle))


def is_late(job: Job, deletes: AuditLog | Feed) -> str | None:
    """What to say where the provider may have forgotten entries that were not read yet."""
    if deletes.kept is None or from_micros(job.state.since) >= job.provider_now - deletes.kept:
        return None
    since = from_micros(job.state.since).isoformat(timespec="seconds")
    return f"the provider may have forgotten deletions since {since}: it keeps them for {_days(deletes.kept)}"


def _days(duration: timedelta) -> str:
    return f"{duration / timedelta(days=1):g} days"


def log_parts(plan: Plan, deletes: AuditLog | Feed, sender: Sender, now: datetime) -> Sequence[LogPart]:
    if not isinstance(deletes, AuditLog):
        return [LogPart(log=plan.resource)]
    try:
        return deletes.parts(deletes.log, sender, now)
    except ConnectoryError:
        raise
    except Exception as error:
        raise PluginError(
            f"the deletions of {plan.name} cannot be asked for: {type(error).__name__}: {error}",
            hint=f"this is a mistake in the plugin of {plan.element.key!r}",
        ) from error


def log_plan(plan: Plan, log: Resource, deletes: AuditLog | Feed) -> Plan:
    """The log as something that is polled: an entry's place in it is by the log's own id."""
    is_log = isinstance(deletes, AuditLog)
    date_field = log.updated_field if isinstance(deletes, AuditLog) else deletes.date_field
    # `version` is the accessor that is left for the id of the deleted object.
    version_field = deletes.object_field if isinstance(deletes, AuditLog) else None
    entry = PollerEntry(
        url=f"/hubs/{plan.element.hub}/{log.name}" + (f"?{deletes.query}" if deletes.query else ""),
        id_field="" if is_log else plan.entry.id_field,
        dates=DatesConfiguration(
            updated_field=date_field, updated_format=deletes.date_format, updated_timezone=deletes.date_timezone
        ),
    )
    return compile_plan(
        f"{plan.name}.trackDeletes",
        entry,
        element=plan.element,
        resources={log.name: replace(log, version_field=version_field, poller=None, deletes=None)},
        plugins=plan.plugins,
    )


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
        _bury(job, [entry for entry in entries if entry.at >= start - plan.ambiguity])
    return proof.end(len(keys))


def _entries(plan: Plan, part: LogPart, page: FetchedPage, stamps: Stamps, start: int) -> Iterator[Entry]:
    if not page.records.usable:
        return
    for row, key, raw in zip(page.records.rows, page.records.ids, plan.raws(page.response.body), strict=True):
        if key is None:
            continue
        fields = msgspec.json.decode(raw)
        at = stamps.micros(plan.updated(row)) if plan.updated is not None else None
        _check(plan, part, key, fields, at, start)
        object_id = plain(plan.object_id(row) if plan.version is None else plan.version(row))
        if at is not None and object_id not in (None, ""):
            proof = f"{key} {at}"
            yield Entry(
                key=proof, at=at, gone=Gone(object_id=str(object_id), date=at, proof=proof, fields=_plain(fields))
            )


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _check(plan: Plan, part: LogPart, key: str, fields: dict[str, Any], at: int | None, start: int) -> None:
    """An entry that was not asked for shows that the request was not understood; then no other one proves anything."""
    if at is None:
        reason = "has no moment of deletion that can be read"
    elif at < start - 2 * HOUR - 2 * duration_micros(plan.unit):
        reason = "is from before the time that was asked for"
    elif not part.accepts(fields):
        reason = "is not of those that were asked for"
    else:
        return
    raise ProviderError(
        f"the provider ignored what it was asked for: {key} {reason}",
        where=plan.name,
        hint="no deletion was announced or skipped",
    )


def _bury(job: Job, entries: Sequence[Entry]) -> None:
    """Announce the entries that were not dealt with before."""
    if not entries:
        return
    with job.database.read() as connection:
        done = deletions.buried(connection, job.poll, [entry.key for entry in entries])
    fresh = {entry.key: entry for entry in entries if entry.key not in done}
    if not fresh:
        return
    gone = [entry.gone for entry in fresh.values() if not job.confirms or job.is_gone(entry.gone.object_id)]
    with job.database.write() as connection:
        polls.hold(connection, job.poll)
        found = job.announce(connection, gone)
        deletions.bury(connection, job.poll, {entry.key: entry.at for entry in fresh.values()})
    job.tell(found)


def _advance(job: Job, window: Window) -> None:
    # The window was made before anything was answered, by a clock that may have been set since.
    poll, until = job.poll, min(to_micros(window.end), _settled(job))
    done = {"since": until, "completed_at": to_micros(job.clock.now())}
    with job.database.write() as connection:
        polls.hold(connection, poll)
        deletions.change(connection, poll.instance_id, poll.resource, done)
        # An hour more than is read again: stamps may be coarse, and clocks be put back.
        deletions.forget_buried(connection, poll, to_micros(window.start) - HOUR)
