"""Gives the reason of each verdict, with the numbers.

The poller uses constant texts, because it judges many thousands of records a second. The numbers are added here, for
the few records that a person looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..clock import duration_micros, from_micros
from ..records.changes import Change, Meaning
from ..records.identify import plain
from ..serialize import iso

if TYPE_CHECKING:
    from ..dates import Codec
    from ..plans.plan import Plan
    from ..records.window import Bounds
    from .explanation import KnownNote


@dataclass(frozen=True, kw_only=True, slots=True)
class Dates:
    """A record's dates: as the provider wrote them, and in microseconds, or None if they cannot be read."""

    updated_raw: Any
    updated: int | None
    created_raw: Any
    created: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasons:
    """Explains the verdicts on the records of one poll."""

    plan: Plan
    bounds: Bounds

    def of(self, change: Change, dates: Dates, known: KnownNote | None) -> str:
        if change.meaning is Meaning.BEFORE_WINDOW:
            ahead = span(self.bounds.start - (change.date or 0))
            return f"updated {moment(change.date)}, {ahead} before the window starts at {self.start}"
        if change.meaning is Meaning.NEXT_POLL:
            return f"updated {moment(change.date)}, after this poll started at {moment(self.bounds.started)}"
        if change.date is None or change.meaning not in {Meaning.CREATED, Meaning.UPDATED}:
            return change.reason
        if known is not None and change.meaning is Meaning.CREATED:
            return f"{change.reason} ({_event(known)})"
        if known is not None:
            return f"version {change.version!r} is new; {known.version!r} was announced ({_event(known)})"
        return f"never announced; {self._creation(change.date, dates)}"

    def warning(self, dates: Dates) -> str | None:
        """Which dates of a record cannot be read, and why; None if all can."""
        plan = self.plan
        texts = [
            _unreadable(name, raw, codec)
            for name, accessor, raw, micros, codec in (
                ("updated", plan.updated, dates.updated_raw, dates.updated, plan.updated_codec),
                ("created", plan.created, dates.created_raw, dates.created, plan.created_codec),
            )
            if accessor is not None and micros is None
        ]
        return "; ".join(texts) or None

    @property
    def start(self) -> str:
        return moment(self.bounds.start)

    def _creation(self, updated: int, dates: Dates) -> str:
        if dates.created is None:
            return "no created date that can be read"
        created = f"created {moment(dates.created)}"
        if dates.created >= self.bounds.start:
            return f"{created}, in the window from {self.start}"
        if self.plan.begun is not None and dates.created >= self.plan.begun:
            return f"{created}, after the instance was created"
        tolerance = duration_micros(self.plan.entry.created_check_tolerance)
        apart = abs(updated - dates.created)
        within = "within" if apart <= tolerance else "more than"
        return (
            f"{created}, before the window from {self.start}, and updated {span(apart)} later:"
            f" {within} createdCheckTolerance ({span(tolerance)})"
        )


def seen(known: KnownNote) -> str:
    return f"this version was announced already ({_event(known)})"


def moment(micros: int | None) -> str:
    return "never" if micros is None else iso(from_micros(micros))


def span(micros: int) -> str:
    """`30 s`, or `1 day, 2:03:04` for more than two minutes."""
    duration = timedelta(microseconds=micros)
    return f"{duration.total_seconds():g} s" if duration <= timedelta(minutes=2) else str(duration)


def _event(known: KnownNote) -> str:
    return f"event {known.sequence}, {known.source}" if known.sequence else f"no event, {known.source}"


def _unreadable(name: str, raw: Any, codec: Codec | None) -> str:
    value = plain(raw)
    if value is None or value == "" or codec is None:
        return f"it has no {name} date"
    try:
        codec.parse(value)
    except (ValueError, TypeError, OverflowError) as error:
        return f"{name}: {error}"
    return f"{name}: {value!r} is not a date"
