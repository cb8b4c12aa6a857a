"""A table in memory. Its records have ids and stamps, and a write may become visible later than it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from ..clock import Clock, iso_stamp

Row = dict[str, Any]
"""The fields of a record, as JSON values."""

NewId = Callable[[Random, int], str]


def hex_id(random: Random, number: int) -> str:
    """32 hexadecimal digits, the same ones for the same seed.

    >>> hex_id(Random(1), 1)
    'cd613e30d8f16adf91b7584a2265b1f5'
    """
    return f"{random.getrandbits(128):032x}"


def counted_id(random: Random, number: int) -> str:
    """`1`, `2`, `3` ...

    >>> counted_id(Random(1), 17)
    '17'
    """
    return str(number)


@dataclass(kw_only=True)
class Table:
    """Records in the order of their creation. An update replaces a record, it never changes one in place.

    `id`, `created`, `updated` and `deleted` name the fields that the table fills in; None means no such field.
    `commit_delay` is the number of seconds until a write becomes visible; its stamp is the moment of the write.
    Deleted records are kept, see `gone`.

    >>> from datetime import UTC, datetime
    >>> table = Table(clock=Clock(lambda: datetime(2024, 5, 1, tzinfo=UTC)), new_id=counted_id)
    >>> table.insert({"name": "Ann"})
    {'id': '1', 'name': 'Ann', 'created_at': '2024-05-01T00:00:00Z', 'updated_at': '2024-05-01T00:00:00Z'}
    """

    clock: Clock
    id: str = "id"
    created: str | None = "created_at"
    updated: str | None = "updated_at"
    deleted: str | None = "deleted_at"
    stamp: Callable[[datetime], Any] = iso_stamp
    new_id: NewId = hex_id
    random: Random = field(default_factory=lambda: Random(1))
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    commit_delay: float = 0
    sample: Callable[[Random, int], Mapping[str, Any]] | None = None
    """Makes up the values of the n-th record."""
    written: dict[str, Row] = field(default_factory=dict, repr=False)
    _visible: dict[str, Row] = field(default_factory=dict, repr=False)
    _gone: dict[str, Row] = field(default_factory=dict, repr=False)
    _order: dict[str, int] = field(default_factory=dict, repr=False)
    _pending: list[tuple[datetime, Row]] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.written)

    @property
    def made(self) -> int:
        """The number of records that were ever created."""
        return len(self._order)

    def rows(self) -> list[Row]:
        """The records that readers see."""
        with self.lock:
            self._settle()
            return sorted(self._visible.values(), key=lambda row: self._order[row[self.id]])

    def get(self, row_id: str) -> Row | None:
        """A record as readers see it."""
        with self.lock:
            self._settle()
            return self._visible.get(row_id)

    def gone(self) -> list[Row]:
        """The deleted records, each with the moment of the deletion in its `deleted` field."""
        return list(self._gone.values())

    def make_up(self) -> Row:
        """Values for a new record or for an update; empty if the table has no `sample`."""
        return {} if self.sample is None else dict(self.sample(self.random, self.made + 1))

    def insert(self, values: Mapping[str, Any], *, at: datetime | None = None) -> Row:
        """Add a record; `values` may contain its id and stamps. `at` is the moment of the write, by default now."""
        with self.lock:
            moment = at or self.clock.now()
            number = self.made + 1
            row_id = str(values.get(self.id) or self.new_id(self.random, number))
            if row_id in self.written:
                raise ValueError(f"record {row_id} exists already")
            self._order.setdefault(row_id, number)
            self._gone.pop(row_id, None)
            return self._put({self.id: row_id, **self._stamps(moment, self.created, self.updated), **values})

    def update(self, row_id: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Row:
        """Change some fields; the updated stamp becomes `at`, by default now. `KeyError` if there is no record."""
        with self.lock:
            stamps = self._stamps(at or self.clock.now(), self.updated)
            return self._put({**self.written[row_id], **stamps, **values, self.id: row_id})

    def delete(self, row_id: str, *, at: datetime | None = None) -> Row:
        """Delete a record at once, and keep it for `gone`. `KeyError` if there is no record."""
        with self.lock:
            row = self.written.pop(row_id)
            self._visible.pop(row_id, None)
            self._pending = [pending for pending in self._pending if pending[1][self.id] != row_id]
            self._gone[row_id] = {**row, **self._stamps(at or self.clock.now(), self.deleted)}
            return self._gone[row_id]

    def _stamps(self, moment: datetime, *names: str | None) -> Row:
        return {name: self.stamp(moment) for name in names if name is not None}

    def _put(self, row: Row) -> Row:
        # The usual order of fields: the id first, the stamps last.
        stamps = {name: row[name] for name in (self.created, self.updated) if name is not None and name in row}
        row = {**{name: value for name, value in row.items() if name not in stamps}, **stamps}
        self.written[row[self.id]] = row
        if self.commit_delay > 0:
            self._pending.append((self.clock.now() + timedelta(seconds=self.commit_delay), row))
        else:
            self._pending = [pending for pending in self._pending if pending[1][self.id] != row[self.id]]
            self._visible[row[self.id]] = row
        return row

    def _settle(self) -> None:
        """Make the writes visible whose delay has passed."""
        if not self._pending:
            return
        now = self.clock.now()
        for visible_at, row in self._pending:
            if visible_at <= now:
                self._visible[row[self.id]] = row
        self._pending = [pending for pending in self._pending if pending[0] > now]
