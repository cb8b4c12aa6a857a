"""Queries of `polls` and `seen`: who polls what and when, up to which moment, and what was announced in the overlap.

A poll is claimed by a lease with an epoch. Every later write names both. `StaleLeaseError` means that another worker
has taken the poll over: stop, and write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, tuple_, update

from ..errors import StaleLeaseError
from .dialect import earlier, insert_rows, later, select_among
from .instances import ACTIVE
from .tables import instances, polls, seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row


@dataclass(frozen=True, kw_only=True, slots=True)
class PollRow:
    """The state of one resource of one instance; moments and durations are microseconds.

    `quiet` is how many polls in a row have announced nothing. `instance_version` is the version of the instance when
    the poll was claimed, so that the poll need not look it up.
    """

    instance_id: int
    resource: str
    active: bool
    interval: int
    since: int
    seen_from: int
    next_due_at: int
    lease_owner: str | None
    lease_until: int | None
    epoch: int
    failures: int
    failure: str | None
    failed_at: int | None
    polled_at: int | None
    summary: Mapping[str, Any] | None
    quiet: int = 0
    instance_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    version: str
    sequence: int


def add(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        connection.execute(insert(polls).values(active=True, **row))


def find(connection: Connection, instance_id: int | None = None) -> list[PollRow]:
    query = select(polls).order_by(polls.c.instance_id, polls.c.resource)
    if instance_id is not None:
        query = query.where(polls.c.instance_id == instance_id)
    return [_row(row) for row in connection.execute(query)]


def configure(
    connection: Connection, instance_id: int, resource: str, *, active: bool, interval: int, due_at: int
) -> None:
    """Set the interval, and whether the resource is polled at all. The cursor does not change."""
    connection.execute(
        update(polls)
        .where(polls.c.instance_id == instance_id, polls.c.resource == resource)
        .values(active=active, interval=interval, next_due_at=earlier(connection, polls.c.next_due_at, due_at))
    )


def make_due(connection: Connection, instance_ids: Collection[int], now: int) -> None:
    connection.execute(update(polls).where(polls.c.instance_id.in_(list(instance_ids))).values(next_due_at=now))


# Leases

_VERSION = (
    select(instances.c.version).where(instances.c.id == polls.c.instance_id).scalar_subquery().label("instance_version")
)


def claim(
    connection: Connection,
    *,
    owner: str,
    due_at: int,
    now: int,
    until: int,
    limit: int,
    instance_ids: Collection[int] | None = None,
) -> list[PollRow]:
    """Take the lease of the polls that are due at `due_at`, longest overdue first, of active instances only."""
    due = (
        select(polls.c.instance_id, polls.c.resource)
        .join(instances, instances.c.id == polls.c.instance_id)
        .where(
            polls.c.next_due_at <= due_at,
            polls.c.active,
            instances.c.state == ACTIVE,
            or_(polls.c.lease_until.is_(None), polls.c.lease_until < now),
        )
        .order_by(polls.c.next_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=polls)
    )
    if instance_ids is not None:
        due = due.where(polls.c.instance_id.in_(list(instance_ids)))
    statement = (
        update(polls)
        .where(tuple_(polls.c.instance_id, polls.c.resource).in_(due))
        .values(lease_owner=owner, lease_until=until, epoch=polls.c.epoch + 1)
        .returning(polls, _VERSION)
    )
    return [_row(row) for row in connection.execute(statement)]


def next_due(connection: Connection, instance_ids: Collection[int] | None = None) -> int | None:
    """When the next poll of an active instance can be claimed; None when nothing is polled."""
    free_at = func.coalesce(polls.c.lease_until, 0)
    query = (
        select(func.min(later(connection, polls.c.next_due_at, free_at)))
        .join(instances, instances.c.id == polls.c.instance_id)
        .where(polls.c.active, instances.c.state == ACTIVE)
    )
    if instance_ids is not None:
        query = query.where(polls.c.instance_id.in_(list(instance_ids)))
    due: int | None = connection.execute(query).scalar()
    return due


def renew_leases(connection: Connection, owner: str, until: int) -> None:
    connection.execute(update(polls).where(polls.c.lease_owner == owner).values(lease_until=until))


def free_leases(connection: Connection, owners: Collection[str]) -> None:
    """Give up the leases of dead or stopping processes, so that nobody waits until they run out."""
    connection.execute(
        update(polls).where(polls.c.lease_owner.in_(list(owners))).values(lease_owner=None, lease_until=None)
    )


def hold(connection: Connection, poll: PollRow) -> None:
    """Raise, inside a writing transaction, if the claim does not stand any more."""
    if connection.execute(_HOLD, _claim_of(poll)).rowcount != 1:
        raise _stale(poll)


def finish(connection: Connection, poll: PollRow, values: Mapping[str, Any]) -> None:
    """End a claim: write the new state and give the lease up."""
    if connection.execute(_FINISH, {**_claim_of(poll), **values}).rowcount != 1:
        raise _stale(poll)


_CLAIMED = (
    (polls.c.instance_id == bindparam("of_instance"))
    & (polls.c.resource == bindparam("of_resource"))
    & (polls.c.lease_owner == bindparam("of_owner"))
    & (polls.c.epoch == bindparam("of_epoch"))
)
_HOLD = update(polls).where(_CLAIMED).values(epoch=polls.c.epoch)
_FINISH = (
    update(polls)
    .where(_CLAIMED)
    .values(
        {
            name: bindparam(name)
            for name in (
                "since",
                "seen_from",
                "next_due_at",
                "failures",
                "failure",
                "failed_at",
                "polled_at",
                "summary",
                "quiet",
            )
        }
        | {"lease_owner": None, "lease_until": None}
    )
)


def _claim_of(poll: PollRow) -> dict[str, Any]:
    return {
        "of_instance": poll.instance_id,
        "of_resource": poll.resource,
        "of_owner": poll.lease_owner,
        "of_epoch": poll.epoch,
    }


def _stale(poll: PollRow) -> StaleLeaseError:
    return StaleLeaseError(
        f"another worker has taken over the poll of {poll.resource} of instance {poll.instance_id}",
        hint="nothing was written",
    )


# Seen


def seen_of(connection: Connection, poll: PollRow, object_ids: Collection[str]) -> dict[str, Seen]:
    """The last announcement of each of these objects that the overlap remembers."""
    rows = select_among(connection, _SEEN, (poll.instance_id, poll.resource), object_ids)
    return {object_id: Seen(version=version, sequence=sequence) for object_id, version, sequence in rows}


_SEEN = "SELECT object_id, version, sequence FROM seen WHERE instance_id = ? AND resource = ? AND object_id AMONG ?"

SeenTuple = tuple[int, str, str, str, int, int | None]
"""instance_id, resource, object_id, version, sequence, updated"""


def put_seen(connection: Connection, rows: Sequence[SeenTuple]) -> None:
    insert_rows(
        connection,
        "seen",
        ("instance_id", "resource", "object_id", "version", "sequence", "updated"),
        rows,
        "ON CONFLICT (instance_id, resource, object_id) DO UPDATE"
        " SET version = excluded.version, sequence = excluded.sequence, updated = excluded.updated",
    )


def prune_seen(connection: Connection, poll: PollRow, before: int) -> None:
    connection.execute(_PRUNE, {"of_instance": poll.instance_id, "of_resource": poll.resource, "before": before})


_PRUNE = delete(seen).where(
    seen.c.instance_id == bindparam("of_instance"),
    seen.c.resource == bindparam("of_resource"),
    seen.c.updated < bindparam("before"),
)


def _row(row: Row[Any]) -> PollRow:
    return PollRow(**row._mapping)
