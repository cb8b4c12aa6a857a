"""Finds the fields that changed: compares each changed record with its last version, and leaves out ignored changes.

A change is ignored if an ignored field changed, and nothing else but the updated stamp and the change counter did. If
only those two changed, the change is announced: a new comment on an incident, for example, changes no other field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import to_micros
from ..path import Path, is_index
from ..plans.plan import dates_of
from ..store import snapshots
from .changes import Change, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from ..model import PollerEntry
    from ..plans.plan import Plan
    from ..store.polls import PollRow

Fields = dict[str, msgspec.Raw]


def tracker_of(plan: Plan, kept: timedelta) -> FieldTracker | None:
    """The tracker of an entry, or None if the entry asks neither to track changes nor to ignore fields."""
    entry = plan.entry
    if entry.track_changes is None and not entry.ignore_fields:
        return None
    stamps = (plan.resource.version_field, plan.resource.updated_field, dates_of(entry, plan.resource).updated_field)
    return FieldTracker(
        entry=entry,
        stamps=frozenset(Path.parse(stamp).head for stamp in stamps if stamp),
        ignored=tuple(Path.parse(field) for field in entry.ignore_fields if field),
        kept=kept,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldTracker:
    """Compares records with their stored versions, which are kept for `kept` after their last change.

    `stamps` are the top-level fields that differ after every change, `ignored` the paths whose changes are ignored.
    """

    entry: PollerEntry
    stamps: frozenset[str]
    ignored: tuple[Path, ...]
    kept: timedelta

    def compare(
        self, connection: Connection, poll: PollRow, changes: Sequence[Change], raws: Sequence[msgspec.Raw]
    ) -> list[Change]:
        """Add the names of the changed fields to each change. A change of only ignored fields becomes `IGNORED`."""
        ids = {change.object_id for change in changes if change.meaning is Meaning.UPDATED}
        before = {key: fields_of(record) for key, record in snapshots.of(connection, poll, ids).items()} if ids else {}
        numbers: dict[str, int] = {}
        compared: list[Change] = []
        for change in changes:
            key, fields = change.object_id, fields_of(raws[change.row])
            # The object may be on the page twice. If its first change is now ignored, it takes no event number, and the
            # second change takes the number that the first one would have had.
            found = self._compare(replace(change, last=numbers.get(key, change.last)), before.get(key), fields)
            before[key], numbers[key] = fields, found.sequence
            compared.append(found)
        return compared

    def remember(
        self,
        connection: Connection,
        poll: PollRow,
        changes: Sequence[Change],
        raws: Sequence[msgspec.Raw],
        now: datetime,
    ) -> None:
        """Store these versions, in the transaction that announces them."""
        last = {change.object_id: bytes(raws[change.row]) for change in changes}
        snapshots.put(connection, poll, last, to_micros(now))

    def prune(self, connection: Connection, poll: PollRow, now: datetime) -> None:
        snapshots.prune(connection, poll, to_micros(now - self.kept))

    def _compare(self, change: Change, before: Fields | None, after: Fields) -> Change:
        if before is None or change.meaning is not Meaning.UPDATED:
            return change
        changed = changed_fields(before, after)
        if self._are_ignored(changed, before, after):
            return replace(change, meaning=Meaning.IGNORED, reason=f"only {', '.join(changed)} changed")
        if self.entry.track_changes is None:
            return change
        return replace(change, changed=changed, previous=self._previous(before, changed))

    def _are_ignored(self, changed: Sequence[str], before: Fields, after: Fields) -> bool:
        others = [name for name in changed if name not in self.stamps]
        return bool(others) and all(self._is_ignored(name, before, after) for name in others)

    def _is_ignored(self, name: str, before: Fields, after: Fields) -> bool:
        """Whether a changed field is ignored, or changed only at ignored paths inside it."""
        places = [path.rest for path in self.ignored if path.head == name]
        if not all(place.steps for place in places):
            return True
        if not places or name not in before or name not in after:
            return False
        return _without(places, before[name]) == _without(places, after[name])

    def _previous(self, before: Fields, changed: Iterable[str]) -> Mapping[str, msgspec.Raw] | None:
        if self.entry.track_changes is None or not self.entry.track_changes.previous:
            return None
        return {name: before[name] for name in changed if name in before}


def changed_fields(before: Fields, after: Fields) -> list[str]:
    """The sorted names of the top-level fields that differ, were added, or were removed."""
    return sorted(name for name in before.keys() | after.keys() if not _is_same(before.get(name), after.get(name)))


def fields_of(record: bytes | msgspec.Raw) -> Fields:
    """A record's fields as the provider wrote them; empty if the record is not a JSON object."""
    try:
        return _fields.decode(record)
    except msgspec.ValidationError:
        return {}


def _is_same(one: msgspec.Raw | None, other: msgspec.Raw | None) -> bool:
    if one is None or other is None:
        return one is other
    # The bytes are usually equal. If not, the values may still differ only in the order of keys or in white space.
    return bytes(one) == bytes(other) or _canonical(one) == _canonical(other)


def _canonical(value: msgspec.Raw) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(value), order="deterministic")


def _without(places: Sequence[Path], field: msgspec.Raw) -> bytes:
    """The value of a field in its canonical form, with null at these paths inside it."""
    value: Any = msgspec.json.decode(field)
    for place in places:
        above = Path(place.steps[:-1]).find(value)
        last = place.steps[-1]
        if isinstance(above, dict):
            above[last] = None
        elif isinstance(above, list) and is_index(last) and int(last) < len(above):
            above[int(last)] = None
    return msgspec.json.encode(value, order="deterministic")


_fields = msgspec.json.Decoder(Fields)
