"""Judges each record of a poll as the poller would, and notes the verdict with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..clock import from_micros
from ..errors import ConnectoryError
from ..records.changes import Meaning
from ..records.classifier import Classifier
from ..records.known import Known
from ..secrets import redactor
from .explanation import KnownNote, RecordNote
from .reasons import Dates, Reasons, moment, seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import msgspec

    from ..plans.plan import Plan
    from ..plans.rows import Accessor
    from ..records.changes import Change
    from ..records.fetch import FetchedPage
    from ..records.window import Bounds
    from .case import Case, Memory

MOST_RECORDS = 10_000
"""How many records are described one by one. The others are only counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unjudged:
    """A record before its verdict."""

    page: int
    row: int
    id: str | None
    dates: Dates
    version: str
    known: KnownNote | None


@dataclass(slots=True)
class RecordJudge:
    """Judges the records of one poll, page after page. `last` is the latest date to announce, None for no limit."""

    plan: Plan
    memory: Memory
    bounds: Bounds
    last: int | None
    known: dict[str, KnownNote] = field(default_factory=dict)
    records: list[RecordNote] = field(default_factory=list)
    left_out: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    classifier: Classifier = field(init=False)
    reasons: Reasons = field(init=False)

    def __post_init__(self) -> None:
        self.classifier = Classifier(plan=self.plan, bounds=self.bounds)
        self.reasons = Reasons(plan=self.plan, bounds=self.bounds)

    @classmethod
    def of(cls, case: Case, bounds: Bounds) -> RecordJudge:
        # A poll announces what it finds beyond its end. A backfill does not.
        return cls(plan=case.plan, memory=case.memory, bounds=bounds, last=bounds.end if case.window else None)

    def judge(self, page: FetchedPage) -> None:
        """Note a verdict for each record. Raise after the first record that proves that the filter was ignored."""
        ids = {object_id for object_id in page.records.ids if object_id is not None}
        for key, note in self.memory.known(ids - self.known.keys()).items():
            self.known.setdefault(key, note)
        for row in range(len(page.records.ids)):
            self._judge_record(page, row)

    def _judge_record(self, page: FetchedPage, row: int) -> None:
        records = page.records
        object_id, version, record = records.ids[row], records.versions[row], records.rows[row]
        dates = self._dates(record)
        known = None if object_id is None else self.known.get(object_id)
        unjudged = _Unjudged(page=page.number, row=row, id=object_id, dates=dates, version=version, known=known)
        if object_id is None:
            self._note(unjudged, Meaning.HIDDEN, "it has no id: the login may not read it, or idField is wrong")
        elif known is not None and known.version == version:
            self._note(unjudged, Meaning.SEEN, seen(known))
        else:
            self._classify(unjudged, record, object_id, records.raws)

    def _classify(self, unjudged: _Unjudged, record: Any, object_id: str, raws: Sequence[msgspec.Raw]) -> None:
        last = None if unjudged.known is None else Known(unjudged.known.sequence, unjudged.known.version)
        try:
            change = self.classifier.classify(unjudged.row, record, object_id, unjudged.version, last)
        except ConnectoryError as error:
            self._note(unjudged, Meaning.BEFORE_WINDOW, error.message)
            raise
        if self.last is not None and change.date is not None and change.date > self.last:
            reason = f"updated {moment(change.date)}, after the end of the backfill"
            self._note(unjudged, Meaning.NEXT_POLL, reason)
            return
        if change.meaning is Meaning.UPDATED and self.plan.entry.ignore_fields:
            change = self.memory.compare(change, raws)
        self._note_change(unjudged, change, object_id)

    def _note_change(self, unjudged: _Unjudged, change: Change, object_id: str) -> None:
        announces = change.meaning.is_announced
        reason = self.reasons.of(change, unjudged.dates, unjudged.known)
        self._note(unjudged, change.meaning, reason, change.sequence if announces else None)
        if announces or change.meaning in {Meaning.BASELINE, Meaning.IGNORED}:
            source = f"page {unjudged.page} of this poll"
            self.known[object_id] = KnownNote(sequence=change.sequence, version=change.version, source=source)

    def _note(self, unjudged: _Unjudged, meaning: Meaning, reason: str, sequence: int | None = None) -> None:
        self.totals[meaning.value] += 1
        if len(self.records) >= MOST_RECORDS:
            self.left_out += 1
            return
        dates = unjudged.dates
        self.records.append(
            RecordNote(
                page=unjudged.page,
                row=unjudged.row,
                id=unjudged.id,
                updated_raw=dates.updated_raw,
                updated=_moment(dates.updated),
                created_raw=dates.created_raw,
                created=_moment(dates.created),
                version=unjudged.version,
                known=unjudged.known,
                verdict=meaning.value,
                reason=redactor.scrub(reason),
                warning=None if unjudged.id is None else self.reasons.warning(dates),
                sequence=sequence,
            )
        )

    def _dates(self, record: Any) -> Dates:
        updated_raw, created_raw = _raw(self.plan.updated, record), _raw(self.plan.created, record)
        return Dates(
            updated_raw=updated_raw,
            updated=self.classifier.updated.micros(updated_raw),
            created_raw=created_raw,
            created=self.classifier.created.micros(created_raw),
        )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _raw(accessor: Accessor | None, record: Any) -> Any:
    return None if accessor is None else accessor(record)
