"""Which polls an instance has: one for each configured resource, started with the instance and changed by its edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import duration_micros, to_micros
from ..schemas import FIRST_POLL, NOTIFICATIONS_ENABLED, REFRESH_INTERVAL, parse_first_poll
from ..store import deletions, polls, snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from ..model import Config
    from ..plans.plan import Plan


def start(
    connection: Connection,
    instance_id: int,
    config: Config,
    plans: Mapping[str, Plan],
    *,
    now: datetime,
    provider_now: datetime,
) -> None:
    """Add the polls that are missing. They are due now, and begin where `event.poller.first_poll` says."""
    if not config[NOTIFICATIONS_ENABLED]:
        return
    since = to_micros(parse_first_poll(config[FIRST_POLL], provider_now))
    known = {poll.resource for poll in polls.find(connection, instance_id)}
    polls.add(
        connection,
        [
            {
                "instance_id": instance_id,
                "resource": name,
                "interval": _interval(config),
                "since": since,
                "seen_from": since,
                "next_due_at": to_micros(now),
            }
            for name in plans
            if name not in known
        ],
    )


def reschedule(
    connection: Connection, instance_id: int, config: Config, plans: Mapping[str, Plan], *, now: datetime
) -> None:
    """Give the polls the configured interval, and stop those that are not configured any more."""
    enabled = config[NOTIFICATIONS_ENABLED]
    for poll in polls.find(connection, instance_id):
        polls.configure(
            connection,
            instance_id,
            poll.resource,
            active=enabled and poll.resource in plans,
            interval=_interval(config),
            due_at=to_micros(now) + _interval(config),
        )


def forget_untracked(connection: Connection, instance_id: int, plans: Mapping[str, Plan]) -> None:
    """Drop what is stored for tracking that was switched off; it starts afresh when it is switched on again."""
    entries = {name: plan.entry for name, plan in plans.items()}
    without_deletes = [name for name, entry in entries.items() if entry.track_deletes is None]
    without_changes = [
        name for name, entry in entries.items() if entry.track_changes is None and not entry.ignore_fields
    ]
    deletions.forget_tracking(connection, instance_id, without_deletes)
    snapshots.forget_tracking(connection, instance_id, without_changes)


def _interval(config: Config) -> int:
    interval: timedelta = config[REFRESH_INTERVAL]
    return duration_micros(interval)
