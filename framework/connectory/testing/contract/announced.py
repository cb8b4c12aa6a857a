"""The events that an application has announced, and the state of its polls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...store import polls

if TYPE_CHECKING:
    from ...app import App


class Announced:
    app: App

    def states(self) -> list[polls.PollRow]:
        with self.app.parts.database.read() as connection:
            return polls.find(connection)

    def told(self) -> list[tuple[str, str, str]]:
        """The resource, object id and type of each event, the oldest first."""
        return [(event.object_type, event.object_id, event.event_type) for event in self.app.events.find(limit=None)]

    def told_of(self, record_id: str) -> list[str]:
        """The types of the events of one object, the oldest first."""
        return [kind for _, object_id, kind in self.told() if object_id == record_id]

    def told_twice(self) -> list[tuple[str, str, str]]:
        return [event for event, count in Counter(self.told()).items() if count > 1]
