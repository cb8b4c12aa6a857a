"""Composes the explanation of a poll from what its examination has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ceql import to_text
from ..clock import from_micros, to_micros
from ..instances.views import poll_state
from ..plans.plan import dates_of
from ..secrets import redactor
from ..templates import Rendered, parse_template
from .arithmetic import steps
from .explanation import DateField, Explanation, Failure, SlotNote
from .scrubbing import scrub_params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ..dates import Codec
    from ..errors import ConnectoryError
    from ..plans.plan import Plan
    from ..templates import FilledSlot
    from .examination import Examination


def compose(found: Examination) -> Explanation:
    case, plan, window, judge = found.case, found.case.plan, found.window, found.judge
    start, end = _ends(found)
    rendered = plan.render(window) if window else Rendered("")
    request, query = plan.translate(rendered, window, case.page_size) if window else (None, None)
    slots = rendered.slots or parse_template(plan.entry.url).unknown("").slots
    was_asked = found.bounds is not None
    return Explanation(
        instance=case.instance,
        resource=case.poll.resource,
        reads=plan.resource.path,
        at=found.at,
        state=poll_state(case.poll),
        template=redactor.scrub(plan.entry.url),
        url=redactor.scrub(rendered.text),
        slots=tuple(_slot_note(slot) for slot in slots),
        start=start,
        end=end,
        window=steps(case.poll, plan, start, end, slots, found.at, found.provider_now, was_asked=was_asked),
        dates=tuple(_date_fields(plan, start or from_micros(case.poll.since))),
        query=redactor.scrub(to_text(query.expression)) if query and query.expression else "",
        params=scrub_params(request.params) if request else (),
        pages=tuple(found.pages),
        records=tuple(judge.records) if judge else (),
        records_left_out=judge.left_out if judge else 0,
        totals=dict(judge.totals) if judge else {},
        would_announce=_would_announce(found),
        next_since=_next_since(found),
        notes=(*plan.warnings, *found.notes, *_remarks(found)),
        failure=None if found.error is None else _failure(found.error),
        error=found.error,
    )


def _ends(found: Examination) -> tuple[datetime | None, datetime | None]:
    if found.bounds is not None:
        return from_micros(found.bounds.start), from_micros(found.bounds.end)
    return (found.window.start, found.window.end) if found.window else (None, None)


def _would_announce(found: Examination) -> dict[str, int]:
    """The events by type. Empty unless the poll comes to its end."""
    if not found.complete:
        return {}
    totals = found.judge.totals if found.judge else {}
    return {name: totals.get(name.lower(), 0) for name in ("CREATED", "UPDATED")}


def _next_since(found: Examination) -> datetime | None:
    if not found.complete or found.bounds is None:
        return None
    return from_micros(max(found.case.poll.since, found.bounds.end))


def _remarks(found: Examination) -> Iterator[str]:
    poll, total = found.case.poll, next((page.total for page in found.pages if page.total is not None), None)
    shown = sum(page.rows - page.hidden for page in found.pages)
    if found.complete and total is not None and total > shown:
        yield f"the provider's count is {total}, but it shows {shown}: the login has no right to see the others"
    if poll.lease_owner is not None and (poll.lease_until or 0) >= to_micros(found.at):
        yield "this resource is being polled right now, so this explanation may be out of date"
    if found.case.plan.entry.track_deletes is not None:
        yield "a poll also looks for deletions; this explanation leaves that out"
    if not poll.active:
        yield "polling of this resource is switched off"


def _failure(error: ConnectoryError) -> Failure:
    return Failure(type=type(error).__name__.removesuffix("Error"), message=redactor.scrub(str(error)))


def _slot_note(slot: FilledSlot) -> SlotNote:
    zone = None if slot.zone is None else str(slot.zone)
    return SlotNote(text=slot.text, value=slot.value, unit_seconds=slot.unit.total_seconds(), zone=zone)


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
