"""Checks whether an instance works: its login, the clocks, one record of each resource, and the search for deletions.

The provider is asked as a poll asks it. Nothing is announced, and no cursor is moved.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import hints
from ..clock import from_micros
from ..deletions.check import check as check_deletions
from ..errors import AuthenticationError, ConnectoryError
from ..model import Window
from ..records.fetch import FetchedPage, fetch
from ..records.stamps import Stamps
from ..serialize import HIDDEN
from ..store import deletions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ..http import Client
    from ..instances.parts import Parts
    from ..instances.runtime import Runtime
    from ..plans.plan import Plan

LOOK_BACK = timedelta(days=30)
"""How far back a record of each resource is looked for."""
MOST_SKEW = timedelta(seconds=30)
"""How much the two clocks may differ without a warning."""


class CheckState(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The result of one check. `exit_code` is what the command that ran it returns: 0 unless the check failed."""

    check: str
    state: CheckState
    detail: str
    hint: str | None = None
    exit_code: int = field(default=0, metadata=HIDDEN)


def diagnose(parts: Parts, instance_id: int, *, all_deletions: bool = False) -> Iterator[Check]:
    """Yield the checks of one instance, each as soon as it is made. A login that fails ends them.

    The search for deletions is checked for the resources that track them. With `all_deletions` it is checked for every
    resource whose deletions the element can find.
    """
    runtime = parts.runtimes.get(instance_id)
    login, provider_now = _login(runtime)
    yield login
    if login.state is CheckState.FAILED:
        return
    now = parts.clock.now()
    yield _clocks(provider_now, now)
    for name, plan in runtime.plans.items():
        yield _read(plan, runtime.client, runtime.provider_now(now))
        if plan.entry.track_deletes is not None or (all_deletions and plan.resource.deletes is not None):
            yield _deletions(parts, runtime, name, plan)


def _login(runtime: Runtime) -> tuple[Check, datetime | None]:
    """The check, and the provider's time if it is known."""
    probe = runtime.element.probe
    if probe is None:
        return Check(
            check="login", state=CheckState.OK, detail="not checked: the element defines no request that tests a login"
        ), None
    try:
        date = runtime.client.send(probe).date
    except AuthenticationError as error:
        return _failed("login", error, f"log in again: {hints.log_in(runtime.row.id)}"), None
    except ConnectoryError as error:
        return _failed("login", error), None
    return Check(check="login", state=CheckState.OK, detail="the provider accepts it"), date


def _failed(name: str, error: ConnectoryError, hint: str | None = None) -> Check:
    where = f"{error.where}: " if error.where else ""
    return Check(
        check=name,
        state=CheckState.FAILED,
        detail=f"{where}{error.message}",
        hint=hint or error.hint,
        exit_code=error.exit_code,
    )


def _clocks(date: datetime | None, now: datetime) -> Check:
    if date is None:
        return Check(check="clock", state=CheckState.OK, detail="not checked: the provider does not send its time")
    # The provider's time has whole seconds only.
    skew = round((date - now).total_seconds())
    if abs(skew) <= MOST_SKEW.total_seconds():
        return Check(check="clock", state=CheckState.OK, detail=f"the provider's clock differs by {abs(skew)} s")
    direction = "ahead of" if skew > 0 else "behind"
    return Check(
        check="clock",
        state=CheckState.WARNING,
        detail=f"the provider's clock is {abs(skew)} seconds {direction} ours",
        hint="polls use the provider's clock, so nothing is lost; correct this machine's clock anyway",
    )


def _read(plan: Plan, client: Client, now: datetime) -> Check:
    name = f"read {plan.name}"
    try:
        page = next(fetch(plan, Window(start=now - LOOK_BACK, end=now), client, 1), None)
    except ConnectoryError as error:
        return _failed(name, error)
    if page is None or not page.records.ids:
        days = LOOK_BACK.days
        return Check(
            check=name, state=CheckState.OK, detail=f"the provider answers; nothing has changed in {days} days"
        )
    return _looked_at(plan, page, name)


def _looked_at(plan: Plan, page: FetchedPage, name: str) -> Check:
    row, object_id = page.records.rows[0], page.records.ids[0]
    if object_id is None:
        return Check(
            check=name,
            state=CheckState.FAILED,
            detail=f"a record has no {plan.id_field!r}, so its changes cannot be announced",
            hint="correct idField, or let the login read that field",
            exit_code=4,
        )
    updated = None if plan.updated is None else Stamps(codec=plan.updated_codec).micros(plan.updated(row))
    if plan.updated is not None and updated is None:
        return Check(
            check=name,
            state=CheckState.WARNING,
            detail=f"the updated date of record {object_id} cannot be read",
            hint=hints.COMPARE_DATES,
        )
    when = "" if updated is None else f", changed {from_micros(updated):%Y-%m-%dT%H:%M:%SZ}"
    return Check(check=name, state=CheckState.OK, detail=f"record {object_id}{when}")


def _deletions(parts: Parts, runtime: Runtime, resource: str, plan: Plan) -> Check:
    name, caveat = f"deletions of {resource}", (plan.resource.deletes.caveat if plan.resource.deletes else "") or None
    doubt = check_deletions(runtime, resource, parts.clock.now())
    if doubt is not None:
        return Check(check=name, state=CheckState.FAILED, detail=doubt, hint=caveat, exit_code=4)
    with parts.database.read() as connection:
        state = deletions.get(connection, runtime.row.id, resource)
    if state is not None and state.alarm:
        return Check(
            check=name,
            state=CheckState.WARNING,
            detail=state.alarm,
            hint=hints.allow_mass_delete(runtime.row.id, resource),
        )
    return Check(check=name, state=CheckState.OK, detail="they can be found", hint=caveat)
