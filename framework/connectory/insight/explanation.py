"""The explanation of a poll, as plain frozen data."""

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
    """One `${...}` of the poll URL; `value` is None if the plugin rendered the URL in its own way."""

    text: str
    value: str | None
    unit_seconds: float
    zone: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowStep:
    """One step in computing the window: its name, the moment that it gives, and the reason."""

    what: str
    moment: datetime
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DateField:
    """How one date of the records is read. `example` writes the start of the window in the same pattern."""

    role: str
    field: str | None
    pattern: str | None
    zone: str | None
    unit_seconds: float
    example: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageNote:
    """One page that was read. `hidden` counts records without an id; `total` is the provider's count of all matches."""

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
    """The last announced version of an object. `source` says where that is stored."""

    sequence: int
    version: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordNote:
    """The verdict on one record. `sequence` is the number of its event, or None if no event is announced.

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
    """The error that would end the poll."""

    type: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What a poll would do. `next_since` is the cursor after it, or None if the poll would fail."""

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
