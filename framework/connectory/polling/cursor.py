"""Shows and moves the cursor: the moment up to which a resource was announced.

A moved cursor never announces a version twice, because `seen` and the events record what was announced. A rewind finds
records of the span that were never announced, and records that now have another version than the announced one. Only
if retention has removed an event can its version be announced again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import hints
from ..clock import from_micros, to_micros
from ..errors import ConfigurationError, ConflictError
from ..instances.views import PollState, poll_of, poll_state
from ..records.window import window_of
from ..schemas import parse_first_poll
from ..serialize import iso
from ..store import cursors
from .leases import take_over

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..instances.parts import Parts
    from ..plans.plan import Plan
    from ..store.polls import PollRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """What a poll would ask for now, including both ends."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The moment up to which a resource was announced (`since`), and what is remembered from before it.

    No window starts before `remembered_from`. `lease_owner` is the process that polls the resource now.
    """

    since: datetime
    poll: PollState
    remembered_from: datetime
    remembered_objects: int
    next_window: Span | None
    epoch: int
    lease_owner: str | None
    lease_until: datetime | None


def show(parts: Parts, instance_id: int, resource: str) -> Cursor:
    runtime = parts.runtimes.get(instance_id)
    poll = poll_of(parts.database, instance_id, resource)
    with parts.database.read() as connection:
        count = cursors.count_seen(connection, instance_id, resource)
    plan = runtime.plans.get(resource)
    window = window_of(poll, plan, runtime.provider_now(parts.clock.now())) if plan else None
    held = poll.lease_owner is not None and poll.lease_until is not None
    return Cursor(
        since=from_micros(poll.since),
        poll=poll_state(poll),
        remembered_from=from_micros(poll.seen_from),
        remembered_objects=count,
        next_window=None if window is None else Span(start=window.start, end=window.end),
        epoch=poll.epoch,
        lease_owner=poll.lease_owner if held else None,
        lease_until=from_micros(poll.lease_until or 0) if held else None,
    )


def rewind(parts: Parts, instance_id: int, resource: str, since: datetime) -> Cursor:
    """Poll again from `since`, at once. Raises `ConflictError` while the poll runs.

    The cursor and the start of what is remembered both go back to `since`, so the next window starts exactly there.
    """
    poll = poll_of(parts.database, instance_id, resource)
    check_dated(parts.runtimes.get(instance_id).plan(resource))
    target = to_micros(since)
    if target > poll.since:
        raise ConfigurationError(
            f"{iso(since)} is after the cursor, which is at {iso(from_micros(poll.since))}",
            where="since",
            hint=hints.REWIND_OR_RESET,
        )
    return _move(parts, poll, {"since": target, "seen_from": min(target, poll.seen_from)})


def reset(parts: Parts, instance_id: int, resource: str, first_poll: str = "now") -> Cursor:
    """Poll as a new instance does: from `now`, from an ISO date, or `all`. Raises `ConflictError` while it runs.

    What was remembered for the overlap is forgotten, but the events stay: sequence numbers continue, and an announced
    version is not announced again. The next poll remembers records without dates again, and announces none of them.
    """
    poll = poll_of(parts.database, instance_id, resource)
    runtime = parts.runtimes.get(instance_id)
    since = to_micros(_moment_of(first_poll, runtime.provider_now(parts.clock.now())))
    fresh = {"failures": 0, "failure": None, "failed_at": None, "polled_at": None, "summary": None, "quiet": 0}
    return _move(parts, poll, {"since": since, "seen_from": since, **fresh}, forget=True)


def check_dated(plan: Plan) -> None:
    """Refuse a span of time for records that have no dates."""
    if plan.updated is None and plan.created is None:
        raise ConfigurationError(
            f"the entry of {plan.name} names no date fields, so a span of time cannot be requested",
            where="datesConfiguration",
            hint=hints.RESET_INSTEAD,
        )


def refuse_held(parts: Parts, instance_id: int, resource: str) -> ConflictError:
    """The error for a poll that another process is running."""
    poll = poll_of(parts.database, instance_id, resource)
    until = iso(from_micros(poll.lease_until or 0))
    return ConflictError(
        f"{resource} of instance {instance_id} is being polled by {poll.lease_owner}, until {until} at the latest",
        hint="wait until the poll has ended, or stop that process, then try again",
    )


def _moment_of(first_poll: str, now: datetime) -> datetime:
    try:
        return parse_first_poll(first_poll, now)
    except ValueError:
        raise ConfigurationError(
            f"{first_poll!r} is neither `now`, nor `all`, nor a date such as 2026-01-31T00:00:00Z", where="to"
        ) from None


def _move(parts: Parts, poll: PollRow, values: Mapping[str, Any], *, forget: bool = False) -> Cursor:
    # The lease of a killed process must not prevent the move.
    take_over(parts.database, parts.process)
    now = to_micros(parts.clock.now())
    with parts.database.write() as connection:
        moved = cursors.move(
            connection, poll.instance_id, poll.resource, now=now, values={**values, "next_due_at": now}
        )
        if moved is not None and forget:
            cursors.forget_seen(connection, poll.instance_id, poll.resource)
    if moved is None:
        raise refuse_held(parts, poll.instance_id, poll.resource)
    return show(parts, poll.instance_id, poll.resource)
