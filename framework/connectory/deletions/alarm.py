"""The alarm of a sweep that misses too many objects: a lost right looks just like a mass deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import to_micros
from ..errors import ConflictError, NotFoundError
from ..store import deletions

if TYPE_CHECKING:
    from ..clock import Clock
    from ..plans.plan import Plan
    from ..store.database import Database
    from ..store.deletions import Census

# This many objects may always be deleted at once, because in a short list every object is a large share.
ALWAYS_ALLOWED = 5


def alarm_of(plan: Plan, census: Census) -> str | None:
    """Why the missing objects are too many to be announced as deleted; None if they are not too many."""
    options = plan.entry.track_deletes
    share = options.max_share if options is not None else 0.0
    most = max(ALWAYS_ALLOWED, int(share * census.known))
    if not census.missing or (census.listed and census.missing <= most):
        return None
    much = f"more than the {most} that may be deleted at once" if census.listed else "and the list is empty"
    return (
        f"missing from {plan.name}: {census.missing} of {census.known}, {much}: the login may have lost a right,"
        " so no deletion is announced until somebody allows it"
    )


def allow_mass_delete(database: Database, clock: Clock, instance_id: int, resource: str) -> None:
    """Allow the mass deletion that the last sweep gave an alarm for.

    The next poll sweeps at once, and announces the objects that are still missing then.
    """
    with database.write() as connection:
        state = deletions.get(connection, instance_id, resource)
        if state is None:
            raise NotFoundError(
                f"deletions of {resource} of instance {instance_id} are not tracked",
                hint="set trackDeletes in its poller entry",
            )
        if state.alarm is None:
            raise ConflictError(
                f"there is no alarm for {resource} of instance {instance_id}: its deletions are announced already"
            )
        now = to_micros(clock.now())
        deletions.change(connection, instance_id, resource, {"allowed": True, "next_due_at": now})
