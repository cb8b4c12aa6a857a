"""The lists that show deletions, as plans that can be read: a log or feed, and a list of all ids."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..deletes import AuditLog, Deletes, LogPart
from ..errors import ConnectoryError, PluginError
from ..model import DatesConfiguration, PollerEntry
from ..plans.compiling import compile_plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..deletes import Feed, Sweep
    from ..model import Params, Resource, Sender
    from ..plans.plan import Plan


def way_of(plan: Plan) -> Deletes | None:
    """How deletions of the plan's resource are found; None if they cannot be found."""
    deletes = plan.resource.deletes
    if deletes is None or isinstance(deletes, Deletes):
        return deletes
    raise PluginError(
        f"Resource.deletes of {plan.name} is of type {type(deletes).__name__}, not an AuditLog, a Feed or a Sweep",
        hint=f"this is a mistake in the plugin of {plan.element.key!r}",
    )


def log_parts(plan: Plan, deletes: AuditLog | Feed, sender: Sender, now: datetime) -> Sequence[LogPart]:
    if not isinstance(deletes, AuditLog):
        return [LogPart(log=plan.resource)]
    try:
        return deletes.parts(deletes.log, sender, now)
    except ConnectoryError:
        raise
    except Exception as error:
        raise PluginError(
            f"the plugin cannot tell how to ask for deletions of {plan.name}: {type(error).__name__}: {error}",
            hint=f"this is a mistake in the plugin of {plan.element.key!r}",
        ) from error


def log_plan(plan: Plan, log: Resource, deletes: AuditLog | Feed) -> Plan:
    """The log as a list that is polled. Its entries are told apart by the log's own ids."""
    is_log = isinstance(deletes, AuditLog)
    date_field = log.updated_field if isinstance(deletes, AuditLog) else deletes.date_field
    # A log has no versions, so the `version` accessor can read the id of the deleted object.
    version_field = deletes.object_field if isinstance(deletes, AuditLog) else None
    entry = PollerEntry(
        url=f"/hubs/{plan.element.hub}/{log.name}" + (f"?{deletes.query}" if deletes.query else ""),
        id_field="" if is_log else plan.entry.id_field,
        dates=DatesConfiguration(
            updated_field=date_field, updated_format=deletes.date_format, updated_timezone=deletes.date_timezone
        ),
    )
    return _compiled(plan, entry, replace(log, version_field=version_field))


def sweep_plan(plan: Plan, deletes: Sweep) -> Plan:
    """A list of the ids of all objects, including those that the poll's own URL leaves out."""
    resource = replace(plan.resource, params=merged(plan.resource.params, deletes.params), version_field=None)
    entry = PollerEntry(url=f"/hubs/{plan.element.hub}/{resource.name}", id_field=plan.entry.id_field)
    return replace(_compiled(plan, entry, resource), is_windowed=False)


def merged(params: Params, more: Params) -> Params:
    """The parameters of both. If both have a name, the value of `more` is used."""
    names = {name for name, _ in more}
    return (*(pair for pair in params if pair[0] not in names), *more)


def _compiled(plan: Plan, entry: PollerEntry, resource: Resource) -> Plan:
    return compile_plan(
        f"{plan.name}.trackDeletes",
        entry,
        element=plan.element,
        resources={resource.name: replace(resource, poller=None, deletes=None)},
        plugins=plan.plugins,
    )
