"""`app.events`: the changes that were found."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import from_micros
from ..serialize import HIDDEN
from ..store import events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..instances.parts import Parts
    from ..store.events import EventRow
    from .instances import Instances


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One change of one object. `sequence` counts the events of the object from 1.

    `object_type` is the resource, `event_type` is `CREATED`, `UPDATED` or `DELETED`, and `date` is when the provider
    says that the object was changed.
    """

    kind: str = "event"
    id: int
    instance_id: int
    object_type: str
    event_type: str
    object_id: str
    sequence: int
    date: datetime
    notification_id: int
    position: int = field(metadata=HIDDEN)


class Events:
    """The events of a store. An instance is given by its id or its name."""

    def __init__(self, parts: Parts, instances: Instances) -> None:
        self._database = parts.database
        self._instances = instances

    def find(
        self,
        *,
        instance: int | str | None = None,
        resource: str | None = None,
        object_id: str | None = None,
        limit: int | None = 50,
    ) -> list[Event]:
        """The newest events, newest last. A `limit` of None gives all."""
        instance_id = None if instance is None else self._instances.id_of(instance)
        with self._database.read() as connection:
            found = events.find(
                connection,
                instance_id=instance_id,
                resource=resource,
                object_id=object_id,
                limit=limit,
                newest_first=True,
            )
        return [_event(row) for row in found[::-1]]

    def after(
        self, event_id: int, *, instance: int | str | None = None, resource: str | None = None, limit: int = 500
    ) -> list[Event]:
        """The events with a higher id, oldest first. To read all events, call this with the id of the last one read."""
        instance_id = None if instance is None else self._instances.id_of(instance)
        with self._database.read() as connection:
            found = events.find(connection, instance_id=instance_id, resource=resource, after=event_id, limit=limit)
        return [_event(row) for row in found]

    def last_id(self) -> int:
        """The id of the newest event, or 0 if there is no event."""
        with self._database.read() as connection:
            return events.last_id(connection)

    def records_of(self, found: Sequence[Event]) -> list[Any]:
        """The record of each event, as its notification carries it."""
        with self._database.read() as connection:
            bodies = events.bodies_of(connection, {event.notification_id for event in found})
        raws = {number: json.loads(body)["message"]["raw"] for number, body in bodies.items()}
        return [raws[event.notification_id][event.object_type][event.position] for event in found]


def _event(row: EventRow) -> Event:
    return Event(
        id=row.id,
        instance_id=row.instance_id,
        object_type=row.resource,
        event_type=row.type,
        object_id=row.object_id,
        sequence=row.sequence,
        date=from_micros(row.date),
        notification_id=row.notification_id,
        position=row.position,
    )
