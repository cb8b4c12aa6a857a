"""Tells whether deletions can be found, by asking for the first page of the last minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..deletes import Sweep
from ..errors import ConnectoryError
from ..model import Window
from ..proof import Proof
from ..records.fetch import fetch
from .lists import log_parts, log_plan, sweep_plan, way_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..deletes import Deletes
    from ..instances.runtime import Runtime
    from ..plans.plan import Plan


def check(runtime: Runtime, resource: str, now: datetime) -> str | None:
    """Why deletions cannot be found, or None if they can."""
    plan = runtime.plan(resource)
    provider_now = runtime.provider_now(now)
    window = Window(start=provider_now - timedelta(minutes=1), end=provider_now)
    try:
        deletes = way_of(plan)
        if deletes is None:
            return "the element has no way to find them"
        if isinstance(deletes, Sweep):
            return _first_doubt(sweep_plan(plan, deletes), deletes, window, runtime)
        parts = log_parts(plan, deletes, runtime.client, provider_now)
        doubts = [_first_doubt(log_plan(plan, part.log, deletes), deletes, window, runtime) for part in parts]
    except ConnectoryError as error:
        return str(error)
    return next((doubt for doubt in doubts if doubt), None)


def _first_doubt(plan: Plan, deletes: Deletes, window: Window, runtime: Runtime) -> str | None:
    page_size = plan.element.page_size
    proof = Proof(total=deletes.total, counts=deletes.counts, page_size=page_size)
    for page in fetch(plan, window, runtime.client, page_size):
        proof.see(page.response, page.records.ids)
        return proof.doubt
    return "the provider gave no page"
