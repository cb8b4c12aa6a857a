"""What an application has announced, and how its polls stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...store import events, polls

if TYPE_CHECKING:
    from ...app import App


class Announced:
    """Looks into the store of `app`."""

    app: App

    def states(self) -> list[polls.PollRow]:
        with self.app.parts.database.read() as connection:
            return polls.find(connection)

    def told(self) -> list[tuple[str, str, str]]:
        """Resource, object id and type of each event that was announced."""
        with self.app.parts.database.read() as connection:
            return [(event.resource, event.object_id, event.type) for event in events.find(connection, limit=None)]

    def told_of(self, record_id: str) -> list[str]:
        """The types of the events of one object, in order."""
        return [kind for _, object_id, kind in self.told() if object_id == record_id]

    def told_twice(self) -> list[tuple[str, str, str]]:
        return [event for event, count in Counter(self.told()).items() if count > 1]
