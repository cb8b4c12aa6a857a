"""Remembers notifications and the order of objects, so that a receiver recognises repeats and late events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

MOST_REMEMBERED = 100_000
"""The number of notifications, and of objects, that are remembered; the oldest are forgotten first."""

_V = TypeVar("_V")


class Memory:
    """It is not safe for several threads; `Receiver` guards it with its lock."""

    def __init__(self) -> None:
        self._ids: dict[Hashable, bool] = {}
        self._sequences: dict[Hashable, int] = {}

    def knows(self, notification_id: str) -> bool:
        return notification_id in self._ids

    def late(self, message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The events of a message that come after a later event of the same object."""
        return self._follow(message)[1]

    def remember(self, notification_id: str, message: Mapping[str, Any] | None) -> None:
        """Note that a notification was accepted, and the last event of each object; `message` is None for a repeat."""
        reached = {} if message is None else self._follow(message)[0]
        for key, sequence in reached.items():
            _remember(self._sequences, key, sequence)
        _remember(self._ids, notification_id, True)

    def _follow(self, message: Mapping[str, Any]) -> tuple[dict[Hashable, int], list[Mapping[str, Any]]]:
        reached: dict[Hashable, int] = {}
        late = []
        for event in message["events"]:
            sequence = event.get("sequence")
            if not isinstance(sequence, int):
                continue
            key = (str(message.get("instanceId")), str(event.get("objectType")), str(event.get("objectId")))
            last = reached.get(key, self._sequences.get(key, 0))
            if sequence <= last:
                late.append(event)
            reached[key] = max(sequence, last)
        return reached, late


def _remember(known: dict[Hashable, _V], key: Hashable, value: _V) -> None:
    known.pop(key, None)
    known[key] = value
    if len(known) > MOST_REMEMBERED:
        del known[next(iter(known))]
