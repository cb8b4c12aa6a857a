"""Says what a poll would do, and why, without doing it.

The provider is asked as a poll asks it, but nothing is announced or remembered. Only one thing may be written: an
expired access token is renewed, as for any request.

1. A `Case` (case) is everything that decides how a poll goes.
2. An `Examination` (examination) reads what the poll would read, and its `RecordJudge` (judging) decides about each
   record, with the reasons of `reasons`.
3. `compose` (composing) makes the `Explanation` (explanation) of it, with the steps of the window (arithmetic).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .case import live_case
from .composing import compose
from .examination import examine

if TYPE_CHECKING:
    from datetime import datetime

    from ..instances.parts import Parts
    from .case import Case
    from .explanation import Explanation


def explain(parts: Parts, instance_id: int, resource: str, now: datetime | None = None) -> Explanation:
    """What the next poll of a resource would do. `now` replaces the current time."""
    return explain_case(live_case(parts, instance_id, resource, now=now))


def explain_case(case: Case) -> Explanation:
    return compose(examine(case))
