"""Writes what is to be announced: notifications, events and deliveries, in the transaction of whoever found it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        placed = [(number, place, change) for number, batch in numbered for place, change in enumerate(batch.changes)]
        moment = to_micros(now)
        events.add_events(connection, [self._event(change, number, place, moment) for number, place, change in placed])
        for subscription in self.subscriptions:
            made = [(number, batch.lane) for number, batch in numbered]
            deliveries.add(connection, subscription, made, moment)
        return [self._announced(change, number, moment) for number, _, change in placed]

    def _notification(
        self, number: int, batch: Batch, raws: Sequence[msgspec.Raw], now: datetime
    ) -> events.NotificationTuple:
        body = build(self.sender, self.resource, number, batch, raws, now)
        return number, self.sender.instance_id, self.resource, body, to_micros(now)

    def _event(self, change: Change, number: int, place: int, now: int) -> events.EventTuple:
        date = now if change.date is None else change.date
        return (
            self.sender.instance_id,
            self.resource,
            change.object_id,
            change.sequence,
            change.type.value,
            date,
            change.version,
            number,
            place,
            now,
            None if change.changed is None else json.dumps(change.changed),
        )

    def _announced(self, change: Change, number: int, now: int) -> Announced:
        return Announced(
            instance_id=self.sender.instance_id,
            instance_name=self.sender.instance_name,
            resource=self.resource,
            type=change.type.value,
            object_id=change.object_id,
            sequence=change.sequence,
            date=now if change.date is None else change.date,
            notification_id=number,
        )
