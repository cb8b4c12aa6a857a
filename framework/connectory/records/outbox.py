"""Writes notifications, events and deliveries, in the transaction of the code that found the changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import to_micros
from ..store import deliveries, events
from .envelope import Batch, Origin, batches, build

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import msgspec
    from sqlalchemy import Connection

    from .changes import Change


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnouncedEvent:
    """An event that was written, for observers. `date` is in microseconds."""

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
    """Announces the changes of one resource of one instance to its subscriptions."""

    origin: Origin
    resource: str
    subscriptions: Sequence[int]

    def publish(
        self, connection: Connection, changes: Sequence[Change], raws: Sequence[msgspec.Raw], now: datetime
    ) -> list[AnnouncedEvent]:
        """Write the events of these changes. `change.row` is the place of a change's record in `raws`."""
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
        body = build(self.origin, self.resource, number, batch, raws, now)
        return number, self.origin.instance_id, self.resource, body, to_micros(now)

    def _event(self, change: Change, number: int, place: int, now: int) -> events.EventTuple:
        date = now if change.date is None else change.date
        return (
            self.origin.instance_id,
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

    def _announced(self, change: Change, number: int, now: int) -> AnnouncedEvent:
        return AnnouncedEvent(
            instance_id=self.origin.instance_id,
            instance_name=self.origin.instance_name,
            resource=self.resource,
            type=change.type.value,
            object_id=change.object_id,
            sequence=change.sequence,
            date=now if change.date is None else change.date,
            notification_id=number,
        )
