"""Writes what is to be announced: notifications, events and deliveries, in the transaction of whoever found it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import to_micros
from ..store import deliveries, events
from .envelope import Batch, Sender, batches, build

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import msgspec
    from sqlalchemy import Connection

    from .changes import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """An event that was committed, for those who watch. `date` is microseconds."""

    instance_id: int
    instance_name: str
    resource: str
    type: str
    object_id: str
    sequence: int
    date: int
    notification_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbox:
    """Where one resource of one instance announces its changes."""

    sender: Sender
    resource: str
    subscriptions: Sequence[int]

    def publish(
        self, connection: Connection, changes: Sequence[Change], raws: Sequence[msgspec.Raw], now: datetime
    ) -> list[Announced]:
        """Announce changes; `change.row` is the place of a change's record in `raws`."""
        held = batches(changes)
        first = events.allocate(connection, "notifications", len(held))
        numbered = list(enumerate(held, first))
        events.add_notifications(
            connection, [self._notification(number, batch, raws, now) for number, batch in numbered]
        )
        rows = [
            self._event(change, number, place, to_micros(now))
            for number, batch in numbered
            for place, change in enumerate(batch.changes)
        ]
        events.add_events(connection, rows)
        for subscription in self.subscriptions:
            made = [(number, batch.lane) for number, batch in numbered]
            deliveries.add_deliveries(connection, subscription, made, to_micros(now))
        return [self._announced(row) for row in rows]

    def _notification(self, number: int, batch: Batch, raws: Sequence[msgspec.Raw], now: datetime) -> dict[str, Any]:
        return {
            "id": number,
            "instance_id": self.sender.instance_id,
            "resource": self.resource,
            "body": build(self.sender, self.resource, number, batch, raws, now),
            "created_at": to_micros(now),
        }

    def _event(self, change: Change, number: int, place: int, now: int) -> dict[str, Any]:
        return {
            "instance_id": self.sender.instance_id,
            "resource": self.resource,
            "object_id": change.object_id,
            "sequence": change.sequence,
            "type": change.type.value,
            "date": now if change.date is None else change.date,
            "version": change.version,
            "notification_id": number,
            "position": place,
            "created_at": now,
        }

    def _announced(self, row: dict[str, Any]) -> Announced:
        return Announced(
            instance_id=row["instance_id"],
            instance_name=self.sender.instance_name,
            resource=row["resource"],
            type=row["type"],
            object_id=row["object_id"],
            sequence=row["sequence"],
            date=row["date"],
            notification_id=row["notification_id"],
        )
