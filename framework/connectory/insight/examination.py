"""Reads what a poll would read, page by page, and judges each record. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConnectoryError
from ..records.fetch import fetch
from ..records.smallerpages import in_smaller_pages
from ..records.window import bounds_of, window_of
from .explanation import PageNote
from .judging import RecordJudge
from .scrubbing import scrub_params

if TYPE_CHECKING:
    from datetime import datetime

    from ..http import PageTooHeavyError
    from ..model import Window
    from ..records.fetch import FetchedPage
    from ..records.window import Bounds
    from .case import Case


@dataclass(slots=True)
class Examination:
    """The facts about a poll. `bounds` and `judge` are None until the provider has answered once.

    `complete` is False if `error` ended the reading, or if there was nothing to ask.
    """

    case: Case
    at: datetime
    provider_now: datetime
    window: Window | None
    bounds: Bounds | None = None
    judge: RecordJudge | None = None
    pages: list[PageNote] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: ConnectoryError | None = None
    complete: bool = False


def examine(case: Case) -> Examination:
    """Ask the provider what the poll of this case would ask."""
    at = case.conversation.now()
    provider_now = at + case.clock_offset
    window = case.window or window_of(case.poll, case.plan, provider_now)
    found = Examination(case=case, at=at, provider_now=provider_now, window=window)
    if window is None:
        found.notes.append("there is nothing to ask yet: the window would end before it starts")
        return found
    try:
        _read(found, window)
    except ConnectoryError as error:
        found.error = error
    return found


def _read(found: Examination, window: Window) -> None:
    """Read the window, in smaller pages if the provider finds them too heavy."""

    def shrunk(page_size: int, smaller: int, error: PageTooHeavyError) -> None:
        found.notes.append(f"a page of {page_size} records is too heavy ({error.message}): asked again for {smaller}")
        found.bounds = found.judge = None
        found.pages.clear()

    in_smaller_pages(found.case.page_size, lambda page_size: _walk(found, window, page_size), shrunk)
    found.complete = True


def _walk(found: Examination, window: Window, page_size: int) -> None:
    for page in fetch(found.case.plan, window, found.case.conversation, page_size):
        judge = found.judge or _begin(found, page, window)
        found.pages.append(_page_note(page, found.case.conversation.seconds))
        judge.judge(page)


def _begin(found: Examination, page: FetchedPage, window: Window) -> RecordJudge:
    """Compute the window from the clock of the provider's first answer, as a poll does."""
    case = found.case
    found.provider_now = page.response.date or case.conversation.now() + case.clock_offset
    found.bounds = bounds_of(case.poll, case.plan, window, found.provider_now)
    found.judge = RecordJudge.of(case, found.bounds)
    return found.judge


def _page_note(page: FetchedPage, seconds: float) -> PageNote:
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
        seconds=seconds,
    )
