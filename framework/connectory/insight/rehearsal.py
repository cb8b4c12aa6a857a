"""Counts what a backfill would announce. The provider is asked, but nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..polling.backfill import Backfilled, backfill_window
from .case import live_case
from .explain import explain_case

if TYPE_CHECKING:
    from datetime import datetime

    from ..instances.parts import Parts


def rehearse(parts: Parts, instance_id: int, resource: str, start: datetime, end: datetime | None = None) -> Backfilled:
    """What `backfill` would announce for the same span."""
    window = backfill_window(parts, instance_id, resource, start, end)
    found = explain_case(live_case(parts, instance_id, resource, window=window))
    if found.error is not None:
        raise found.error
    totals = found.totals
    return Backfilled(
        instance_id=instance_id,
        resource=resource,
        start=found.start or window.start,
        end=found.end or window.end,
        dry_run=True,
        pages=len(found.pages),
        created=totals.get("created", 0),
        updated=totals.get("updated", 0),
        seen=totals.get("seen", 0),
        outside=totals.get("before the window", 0) + totals.get("left to the next poll", 0),
        hidden=totals.get("hidden", 0),
        warnings=tuple(record.reason for record in found.records if record.updated is None and record.sequence),
    )
