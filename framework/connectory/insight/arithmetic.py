"""Computes the window of a poll step by step, with a note for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import from_micros
from .explanation import WindowStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from ..plans.plan import Plan
    from ..store.polls import PollRow
    from ..templates import FilledSlot

_ROUNDED = "rounded down to the provider's precision"


def steps(
    poll: PollRow,
    plan: Plan,
    start: datetime | None,
    end: datetime | None,
    slots: Sequence[FilledSlot],
    now: datetime,
    provider_now: datetime,
    *,
    was_asked: bool,
) -> tuple[WindowStep, ...]:
    return (*_start(poll, plan, start, slots), *_end(poll, plan, end, now, provider_now, was_asked=was_asked))


def _start(poll: PollRow, plan: Plan, start: datetime | None, slots: Sequence[FilledSlot]) -> Iterator[WindowStep]:
    since, remembered = from_micros(poll.since), from_micros(poll.seen_from)
    yield WindowStep(what="since", moment=since, note="the cursor: everything up to here was announced")
    reached = since - plan.overlap
    yield WindowStep(what="- overlap", moment=reached, note=f"{_text(plan.overlap)}: records that become visible late")
    if plan.entry.poll_delay:
        reached -= plan.entry.poll_delay
        yield WindowStep(what="- pollDelay", moment=reached, note=f"{_text(plan.entry.poll_delay)}, from the entry")
    if remembered > reached:
        yield WindowStep(
            what="not before",
            moment=remembered,
            note="announced versions are remembered from here on: the window starts here",
        )
    else:
        yield WindowStep(
            what="not before",
            moment=remembered,
            note="announced versions are remembered from here; this does not limit the window",
        )
    if start is None:
        return
    yield WindowStep(what="start", moment=start, note=f"{_ROUNDED}; inclusive")
    for slot in slots:
        if slot.moment is not None:
            back = start - slot.moment
            why = f"{_text(back)} earlier, so that no record at the bound is left out" if back else "the same moment"
            yield WindowStep(what="rendered", moment=slot.moment, note=f"{slot.text} is {slot.value}: {why}")


def _end(
    poll: PollRow, plan: Plan, end: datetime | None, now: datetime, provider_now: datetime, *, was_asked: bool
) -> Iterator[WindowStep]:
    yield WindowStep(what="now", moment=now, note="this machine's clock")
    source = "the Date of its first answer" if was_asked else "as last known"
    offset = (provider_now - now).total_seconds()
    yield WindowStep(what="provider's now", moment=provider_now, note=f"{offset:+g} s from ours, {source}")
    settled = provider_now - plan.element.settle
    yield WindowStep(
        what="- settle",
        moment=settled,
        note=f"{_text(plan.element.settle)}: some records show up only after their updated date",
    )
    if end is not None:
        cursor = "the cursor is already later and stays" if from_micros(poll.since) > end else "the next cursor"
        yield WindowStep(what="end", moment=end, note=f"{_ROUNDED}; {cursor}")


def _text(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"
