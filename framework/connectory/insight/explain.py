"""Says what a poll would do, and why, without doing it.

The provider is asked as a poll asks it, and nothing is announced or remembered. One thing may be written all the same:
an access token that has run out is renewed, as it is for any request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from ..ceql import to_text
from ..clock import from_micros, to_micros
from ..errors import ConnectoryError
from ..http import PageTooHeavyError
from ..instances.views import poll_of, poll_state
from ..plans.plan import dates_of
from ..polling.window import bounds_of, window_of
from ..records.changes import Change, Classifier, Finding
from ..records.fetch import fetch, smaller
from ..records.fieldchanges import history_of
from ..secrets import redactor
from ..store import events, polls
from ..templates import Rendered, parse_template
from .arithmetic import steps
from .explanation import DateField, Explanation, Failure, KnownNote, PageNote, RecordNote, Slot
from .reasons import Dates, Reasons, moment, seen
from .scrubbing import learn_secrets, scrub_params

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    import msgspec

    from ..dates import Codec
    from ..http import Client
    from ..instances.parts import Parts
    from ..model import Request, Response, Verdict, Window
    from ..plans.plan import Plan
    from ..plans.rows import Accessor
    from ..records.changes import Bounds
    from ..records.fetch import FetchedPage
    from ..store.database import Database
    from ..store.polls import PollRow

MOST_RECORDS = 10_000
"""How many records are described one by one; the others are counted."""


class Conversation(Protocol):
    """Asks the provider, or a recording of it; `seconds` is how long the last answer took, `now` our own time."""

    @property
    def seconds(self) -> float: ...

    def now(self) -> datetime: ...

    def exchange(self, request: Request) -> tuple[Response, Verdict]: ...


class Memory(Protocol):
    """What was announced before."""

    def known(self, object_ids: Collection[str]) -> Mapping[str, KnownNote]: ...

    def compare(self, change: Change, raws: Sequence[msgspec.Raw]) -> Change:
        """The same change, or one that is ignored, because nothing but ignored fields differ."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Everything that decides how a poll goes. `window` is that of a backfill; a poll finds its own."""

    instance: Mapping[str, Any]
    plan: Plan
    poll: PollRow
    clock_offset: timedelta
    page_size: int
    conversation: Conversation
    memory: Memory
    window: Window | None = None


def explain(parts: Parts, instance_id: int, resource: str, now: datetime | None = None) -> Explanation:
    """What the next poll of a resource would do, at this moment or at another one."""
    return examine(live_case(parts, instance_id, resource, now=now))


def live_case(
    parts: Parts, instance_id: int, resource: str, *, now: datetime | None = None, window: Window | None = None
) -> Case:
    """A resource as it is now, with its provider to ask."""
    runtime = parts.runtimes.get(instance_id)
    plan = runtime.plan(resource)
    learn_secrets(runtime.config)
    poll = poll_of(parts.database, instance_id, resource)
    return Case(
        instance={"id": instance_id, "name": runtime.row.name, "element": runtime.element.key},
        plan=plan,
        poll=poll,
        clock_offset=runtime.clock_offset,
        page_size=runtime.page_size(resource),
        conversation=_Live(client=runtime.client, clock=parts.clock.now if now is None else lambda: now),
        memory=StoreMemory(parts.database, poll, plan),
        window=window,
    )


@dataclass(kw_only=True, slots=True)
class _Live:
    client: Client
    clock: Callable[[], datetime]
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.clock()

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        started = self.clock()
        try:
            return self.client.exchange(request)
        finally:
            self.seconds = (self.clock() - started).total_seconds()


class StoreMemory:
    """What the store remembers of a resource's objects."""

    def __init__(self, database: Database, poll: PollRow, plan: Plan) -> None:
        self._database = database
        self._poll = poll
        # How long versions are kept does not matter to who only looks.
        self._history = history_of(plan, timedelta(0))

    def known(self, object_ids: Collection[str]) -> Mapping[str, KnownNote]:
        if not object_ids:
            return {}
        poll = self._poll
        with self._database.read() as connection:
            remembered = polls.seen_of(connection, poll, object_ids)
            others = set(object_ids) - remembered.keys()
            told = events.last_of(connection, poll.instance_id, poll.resource, others) if others else {}
        return {
            key: KnownNote(sequence=row.sequence, version=row.version, source="remembered for the overlap")
            for key, row in remembered.items()
        } | {
            key: KnownNote(sequence=sequence, version=version, source="its last event")
            for key, (sequence, version) in told.items()
        }

    def compare(self, change: Change, raws: Sequence[msgspec.Raw]) -> Change:
        if self._history is None:
            return change
        with self._database.read() as connection:
            return self._history.compare(connection, self._poll, [change], raws)[0]


def examine(case: Case) -> Explanation:
    return _Examination(case).explain()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """A record before its verdict."""

    page: int
    row: int
    id: str | None
    dates: Dates
    version: str
    known: KnownNote | None


@dataclass(slots=True)
class _Examination:
    case: Case
    at: datetime = field(init=False)
    bounds: Bounds | None = None
    provider_now: datetime = field(init=False)
    classifier: Classifier = field(init=False)
    reasons: Reasons = field(init=False)
    known: dict[str, KnownNote] = field(default_factory=dict)
    pages: list[PageNote] = field(default_factory=list)
    records: list[RecordNote] = field(default_factory=list)
    left_out: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    error: ConnectoryError | None = None
    complete: bool = False

    def __post_init__(self) -> None:
        self.at = self.case.conversation.now()
        self.provider_now = self.at + self.case.clock_offset

    def explain(self) -> Explanation:
        window = self.case.window or window_of(self.case.poll, self.case.plan, self.provider_now)
        if window is None:
            self.notes.append("there is nothing to ask yet: what has settled ends before the window starts")
        else:
            try:
                self._read(window)
            except ConnectoryError as error:
                self.error = error
        return self._explanation(window)

    # Reading

    def _read(self, window: Window) -> None:
        page_size = self.case.page_size
        while True:
            try:
                self._walk(window, page_size)
            except PageTooHeavyError as error:
                half = smaller(page_size)
                if half is None:
                    raise
                self.notes.append(f"a page of {page_size} is too heavy ({error.message}): asked again for {half}")
                page_size = half
                self._forget()
            else:
                self.complete = True
                return

    def _forget(self) -> None:
        self.bounds, self.left_out = None, 0
        for held in (self.known, self.pages, self.records, self.totals):
            held.clear()

    def _walk(self, window: Window, page_size: int) -> None:
        for page in fetch(self.case.plan, window, self.case.conversation, page_size):
            if self.bounds is None:
                self._begin(page, window)
            self.pages.append(self._page_note(page))
            self._judge(page)

    def _begin(self, page: FetchedPage, window: Window) -> None:
        """Fix the window by the provider's clock, as a poll does at its first answer."""
        now = self.case.conversation.now()
        self.provider_now = page.response.date or now + self.case.clock_offset
        self.bounds = bounds_of(self.case.poll, self.case.plan, window, self.provider_now)
        self.classifier = Classifier(plan=self.case.plan, bounds=self.bounds)
        self.reasons = Reasons(plan=self.case.plan, bounds=self.bounds)

    def _page_note(self, page: FetchedPage) -> PageNote:
        total = page.response.headers.get("X-Total-Count", "")
        return PageNote(
            number=page.number,
            path=page.request.path,
            params=scrub_params(page.request.params),
            status=page.response.status,
            rows=len(page.records.ids),
            hidden=len(page.records.ids) - page.records.usable,
            total=int(total) if total.isdigit() else None,
            bytes=len(page.response.body),
            seconds=self.case.conversation.seconds,
        )

    # Judging

    def _judge(self, page: FetchedPage) -> None:
        ids = {object_id for object_id in page.records.ids if object_id is not None}
        for key, note in self.case.memory.known(ids - self.known.keys()).items():
            self.known.setdefault(key, note)
        for row in range(len(page.records.ids)):
            self._judge_record(page, row)

    def _judge_record(self, page: FetchedPage, row: int) -> None:
        records = page.records
        object_id, version, record = records.ids[row], records.versions[row], records.rows[row]
        dates = self._dates(record)
        known = None if object_id is None else self.known.get(object_id)
        draft = _Draft(page=page.number, row=row, id=object_id, dates=dates, version=version, known=known)
        if object_id is None:
            self._note(draft, Finding.HIDDEN, "it shows no id: the login may not read it, or idField is wrong")
        elif known is not None and known.version == version:
            self._note(draft, Finding.SEEN, seen(known))
        else:
            self._classify(draft, record, object_id, page.response.body)

    def _classify(self, draft: _Draft, record: Any, object_id: str, body: bytes) -> None:
        last = None if draft.known is None else (draft.known.sequence, draft.known.version)
        try:
            change = self.classifier.classify(draft.row, record, object_id, draft.version, last)
        except ConnectoryError as error:
            self._note(draft, Finding.BEFORE_WINDOW, error.message)
            raise
        if self._is_later(change.date):
            self._note(draft, Finding.NEXT_POLL, f"updated {moment(change.date)}, after the span that is asked for")
            return
        if change.finding is Finding.UPDATED and self.case.plan.entry.ignore_fields:
            change = self.case.memory.compare(change, self.case.plan.raws(body))
        announces = change.finding in {Finding.CREATED, Finding.UPDATED}
        sequence = change.sequence if announces else None
        self._note(draft, change.finding, self.reasons.of(change, draft.dates, draft.known), sequence)
        if announces or change.finding in {Finding.BASELINE, Finding.IGNORED}:
            number = 0 if change.finding is Finding.BASELINE else change.sequence
            source = f"page {draft.page} of this poll"
            self.known[object_id] = KnownNote(sequence=number, version=change.version, source=source)

    def _is_later(self, date: int | None) -> bool:
        """Whether a record lies behind the span of a backfill; a poll takes what it finds beyond its end."""
        if self.case.window is None or self.bounds is None or date is None:
            return False
        return date > self.bounds.end

    def _note(self, draft: _Draft, finding: Finding, reason: str, sequence: int | None = None) -> None:
        self.totals[finding.value] += 1
        if len(self.records) >= MOST_RECORDS:
            self.left_out += 1
            return
        dates = draft.dates
        self.records.append(
            RecordNote(
                page=draft.page,
                row=draft.row,
                id=draft.id,
                updated_raw=dates.updated_raw,
                updated=_moment(dates.updated),
                created_raw=dates.created_raw,
                created=_moment(dates.created),
                version=draft.version,
                known=draft.known,
                verdict=finding.value,
                reason=redactor.scrub(reason),
                warning=None if draft.id is None else self.reasons.warning(dates),
                sequence=sequence,
            )
        )

    def _dates(self, record: Any) -> Dates:
        plan, classifier = self.case.plan, self.classifier
        updated_raw, created_raw = _raw(plan.updated, record), _raw(plan.created, record)
        return Dates(
            updated_raw=updated_raw,
            updated=classifier.updated.micros(updated_raw),
            created_raw=created_raw,
            created=classifier.created.micros(created_raw),
        )

    # Summing up

    def _explanation(self, window: Window | None) -> Explanation:
        case, plan = self.case, self.case.plan
        start, end = self._ends(window)
        rendered = plan.render(window) if window else Rendered("")
        request, query = plan.translate(rendered, window, case.page_size) if window else (None, None)
        slots = rendered.slots or parse_template(plan.entry.url).unknown("").slots
        announced = {name: self.totals[name.lower()] for name in ("CREATED", "UPDATED")}
        return Explanation(
            instance=case.instance,
            resource=case.poll.resource,
            reads=plan.resource.path,
            at=self.at,
            state=poll_state(case.poll),
            template=redactor.scrub(plan.entry.url),
            url=redactor.scrub(rendered.text),
            slots=tuple(
                Slot(
                    text=slot.text,
                    value=slot.value,
                    unit_seconds=slot.unit.total_seconds(),
                    zone=None if slot.zone is None else str(slot.zone),
                )
                for slot in slots
            ),
            start=start,
            end=end,
            window=steps(
                case.poll, plan, start, end, slots, self.at, self.provider_now, was_asked=self.bounds is not None
            ),
            dates=tuple(_date_fields(plan, start or from_micros(case.poll.since))),
            query=redactor.scrub(to_text(query.expression)) if query and query.expression else "",
            params=scrub_params(request.params) if request else (),
            pages=tuple(self.pages),
            records=tuple(self.records),
            records_left_out=self.left_out,
            totals=dict(self.totals),
            would_announce=announced if self.complete else {},
            next_since=self._next_since(),
            notes=(*plan.warnings, *self.notes, *self._remarks()),
            failure=None if self.error is None else _failure(self.error),
            error=self.error,
        )

    def _ends(self, window: Window | None) -> tuple[datetime | None, datetime | None]:
        if self.bounds is not None:
            return from_micros(self.bounds.start), from_micros(self.bounds.end)
        return (window.start, window.end) if window else (None, None)

    def _next_since(self) -> datetime | None:
        if not self.complete or self.bounds is None:
            return None
        return from_micros(max(self.case.poll.since, self.bounds.end))

    def _remarks(self) -> Iterator[str]:
        state, total = self.case.poll, next((page.total for page in self.pages if page.total is not None), None)
        shown = sum(page.rows - page.hidden for page in self.pages)
        if self.complete and total is not None and total > shown:
            yield f"the provider counts {total} records and shows {shown}: the login's rights hide the others"
        if state.lease_owner is not None and (state.lease_until or 0) >= to_micros(self.at):
            yield "this resource is being polled right now: what is said here may be out of date"
        if self.case.plan.entry.track_deletes is not None:
            yield "a poll looks for deletions first: that is left out here"
        if not state.active:
            yield "polling of this resource is switched off"


def _failure(error: ConnectoryError) -> Failure:
    return Failure(type=type(error).__name__.removesuffix("Error"), message=redactor.scrub(str(error)))


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _raw(accessor: Accessor | None, record: Any) -> Any:
    return None if accessor is None else accessor(record)


def _date_fields(plan: Plan, sample: datetime) -> Iterator[DateField]:
    dates = dates_of(plan.entry, plan.resource)
    asked: tuple[tuple[str, str | None, str | None, Codec | None], ...] = (
        ("updated", dates.updated_field, dates.updated_format, plan.updated_codec),
        ("created", dates.created_field, dates.created_format, plan.created_codec),
    )
    for role, name, pattern, codec in asked:
        if codec is not None:
            zone = getattr(codec, "timezone", None)
            yield DateField(
                role=role,
                field=name,
                pattern=pattern,
                zone=None if zone is None else str(zone),
                unit_seconds=codec.unit.total_seconds(),
                example=f"{sample.isoformat().replace('+00:00', 'Z')} is written {codec.format(sample)!r}",
                warnings=tuple(codec.warnings),
            )
