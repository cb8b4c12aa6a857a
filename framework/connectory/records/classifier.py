"""Decides what each record of a page means, if its version is new. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import duration_micros, from_micros
from ..errors import ProviderError
from ..serialize import iso
from .changes import Change, Meaning
from .stamps import Stamps
from .window import earliest_accepted, earliest_credible

if TYPE_CHECKING:
    from ..plans.plan import Plan
    from .known import Known
    from .window import Bounds

Found = tuple[Meaning, str]
"""What a record means, and why."""


@dataclass(kw_only=True, slots=True)
class Classifier:
    """Classifies the records of one poll."""

    plan: Plan
    bounds: Bounds
    updated: Stamps = field(init=False)
    created: Stamps = field(init=False)
    earliest_accepted: int = field(init=False)
    earliest_credible: int = field(init=False)

    def __post_init__(self) -> None:
        self.updated = Stamps(codec=self.plan.updated_codec)
        self.created = Stamps(codec=self.plan.created_codec)
        self.earliest_accepted = earliest_accepted(self.plan, self.bounds.start)
        self.earliest_credible = earliest_credible(self.plan, self.bounds.start)

    def classify(self, row: int, record: Any, object_id: str, version: str, known: Known | None) -> Change:
        updated = self._updated(record)
        meaning, reason = self._judge(record, object_id, updated, known)
        return Change(
            row=row,
            object_id=object_id,
            version=version,
            meaning=meaning,
            reason=reason,
            date=updated,
            last=known.sequence if known else 0,
            unreadable_date=updated is None and self._has_dates,
        )

    @property
    def _has_dates(self) -> bool:
        return self.plan.updated is not None or self.plan.created is not None

    def _updated(self, record: Any) -> int | None:
        updated = None
        if self.plan.updated is not None and self.plan.entry.filter_by_updated_date:
            updated = self.updated.micros(self.plan.updated(record))
        if updated is None and self.plan.created is not None:
            updated = self.created.micros(self.plan.created(record))
        return updated

    def _judge(self, record: Any, object_id: str, updated: int | None, known: Known | None) -> Found:
        if updated is None:
            return self._judge_undated(object_id, known)
        if updated < self.earliest_accepted:
            if self.plan.filters and updated < self.earliest_credible:
                raise _filter_ignored(self.plan, object_id, updated, self.bounds.start)
            return Meaning.BEFORE_WINDOW, "updated before the window"
        if self.plan.entry.filter_by_current_date and updated > self.bounds.started:
            return Meaning.NEXT_POLL, "updated after this poll started"
        if known is not None:
            return _judge_known(known)
        return self._judge_unknown(record, updated)

    def _judge_undated(self, object_id: str, known: Known | None) -> Found:
        if not self._has_dates:
            if self.bounds.baseline:
                return (
                    Meaning.BASELINE,
                    "has no date that shows whether it is new; the first poll only remembers it",
                )
            if known is None or known.is_deleted:
                return Meaning.CREATED, "was not in the list before"
            return Meaning.UPDATED, "its content changed"
        if known is not None and known.is_deleted:
            return _judge_known(known)
        return Meaning.UPDATED, f"{self.plan.name} {object_id} has no readable date"

    def _judge_unknown(self, record: Any, updated: int) -> Found:
        created = self.created.micros(self.plan.created(record)) if self.plan.created is not None else None
        if created is None:
            return Meaning.UPDATED, "has no readable created date"
        if created >= self.bounds.start:
            return Meaning.CREATED, "created in the window, never announced"
        if self.plan.begun is not None and created >= self.plan.begun:
            # Earlier polls missed this record, because it changed again during each of them.
            return Meaning.CREATED, "created after the instance was created, never announced"
        tolerance = duration_micros(self.plan.entry.created_check_tolerance)
        if abs(updated - created) <= tolerance:
            return Meaning.CREATED, "created and updated at the same time"
        return Meaning.UPDATED, "created before the window"


def _judge_known(known: Known) -> Found:
    if known.is_deleted:
        return Meaning.CREATED, "exists again after it was announced as deleted"
    return Meaning.UPDATED, "announced before with another version"


def _filter_ignored(plan: Plan, object_id: str, updated: int, start: int) -> ProviderError:
    return ProviderError(
        f"the provider ignored the filter: {plan.name} {object_id} was updated at {_show(updated)},"
        f" but the request asked for {_show(start)} or later",
        hint="check the field names in the poll URL and the rights of the login; nothing was announced or skipped",
    )


def _show(micros: int) -> str:
    return iso(from_micros(micros))
