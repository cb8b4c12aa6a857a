"""What `explain` says of a poll. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..serialize import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..errors import ConnectoryError
    from ..instances.views import PollState
    from ..model import Params


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotNote:
    """One `${...}` of the poll URL; `value` is None where the plugin has rendered the URL in its own way."""

    text: str
    value: str | None
    unit_seconds: float
    zone: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowStep:
    """One step of the window's arithmetic: what it is, where it leads to, and why."""

    what: str
    moment: datetime
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DateField:
    """How one date of the records is read. `example` is how the window's start is written in it."""

    role: str
    field: str | None
    pattern: str | None
    zone: str | None
    unit_seconds: float
    example: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageNote:
    """`hidden` counts the records that show no id; `total` is the provider's own count of what matches."""

    number: int
    path: str
    params: Params
    status: int
    rows: int
    hidden: int
    total: int | None
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownNote:
    """What was announced of an object last. `source` says where that is remembered."""

    sequence: int
    version: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordNote:
    """The verdict on one record. `sequence` is the number of its event, None where none is announced.

    `warning` says which of its dates cannot be read.
    """

    page: int
    row: int
    id: str | None
    updated_raw: Any
    updated: datetime | None
    created_raw: Any
    created: datetime | None
    version: str
    known: KnownNote | None
    verdict: str
    reason: str
    warning: str | None
    sequence: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    type: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """One poll, as it would go. `next_since` is None where it would not come to its end."""

    instance: Mapping[str, Any]
    resource: str
    reads: str
    at: datetime
    state: PollState
    template: str
    url: str
    slots: tuple[SlotNote, ...]
    start: datetime | None
    end: datetime | None
    window: tuple[WindowStep, ...]
    dates: tuple[DateField, ...]
    query: str
    params: Params
    pages: tuple[PageNote, ...]
    records: tuple[RecordNote, ...]
    records_left_out: int
    totals: Mapping[str, int]
    would_announce: Mapping[str, int]
    next_since: datetime | None
    notes: tuple[str, ...]
    failure: Failure | None
    error: ConnectoryError | None = field(default=None, compare=False, metadata=HIDDEN)
