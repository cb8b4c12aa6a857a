"""One reading of one window: its bounds, and which records of its pages are new."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..records.changes import Change, Meaning
from ..records.classifier import Classifier
from ..records.known import Known
from ..records.outbox import Outbox
from ..records.window import Bounds, bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from ..instances.runtime import Runtime
    from ..model import Window
    from ..plans.plan import Plan
    from ..records.fetch import Exchanger, FetchedPage
    from ..records.fieldchanges import FieldTracker
    from ..records.identify import Identified
    from ..records.summary import Summary
    from ..store.polls import PollRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """How a recording or a backfill reads a window, where that differs from an ordinary poll.

    The defaults are those of an ordinary poll.

    `exchanger` is asked instead of the instance's client. `classified` is shown the changes of each page. Changes that
    `takes` refuses are left to a later poll. `finish` ends the claim instead of moving the cursor.
    """

    exchanger: Exchanger | None = None
    classified: Callable[[Sequence[Change]], None] = lambda changes: None
    takes: Callable[[Change, Bounds], bool] = lambda change, bounds: True
    finish: Callable[[Connection, Reading], None] | None = None


@dataclass(kw_only=True)
class Reading:
    """`tracker` is None for an entry that neither tracks changes nor ignores fields."""

    poll: PollRow
    plan: Plan
    runtime: Runtime
    summary: Summary
    window: Window
    tracker: FieldTracker | None
    ways: Ways
    bounds: Bounds = field(init=False)
    classifier: Classifier = field(init=False)

    @property
    def outbox(self) -> Outbox:
        return Outbox(origin=self.runtime.origin, resource=self.poll.resource, subscriptions=self.runtime.subscriptions)

    def begin(self, page: FetchedPage, now: datetime) -> None:
        """Fix the bounds of the window by the provider's own clock, as the first answer shows it."""
        self.runtime.see_clock(page.response.date, now)
        self.bounds = bounds_of(self.poll, self.plan, self.window, self.runtime.provider_now(now))
        self.classifier = Classifier(plan=self.plan, bounds=self.bounds)
        self.summary.start, self.summary.end = self.bounds.start, self.bounds.end

    def sort_out(self, records: Identified, known: dict[str, Known]) -> list[Change]:
        """The records whose version is new, in the order of the page. Records that were seen are only counted.

        `known` is what is known of the page's objects; it is kept up to date for an object that is on the page twice.
        """
        classify = self.classifier.classify
        changes: list[Change] = []
        for row, (object_id, version) in enumerate(zip(records.ids, records.versions, strict=True)):
            if object_id is None:
                continue
            last = known.get(object_id)
            if last is not None and last.version == version:
                self.summary.seen += 1
                continue
            change = classify(row, records.rows[row], object_id, version, last)
            if change.meaning in _LEFT_OUT:
                self.summary.count(change)
                continue
            known[object_id] = Known(change.sequence, version)
            changes.append(change)
        return changes

    def choose(self, changes: Iterable[Change]) -> list[Change]:
        """Count the changes and return those that this reading takes; the others are left to a later poll."""
        taken: list[Change] = []
        for change in changes:
            if self.ways.takes(change, self.bounds):
                self.summary.count(change)
                taken.append(change)
            else:
                self.summary.next_poll += 1
        return taken


_LEFT_OUT = {Meaning.BEFORE_WINDOW, Meaning.NEXT_POLL}
