"""Edits an instance: its name, its tags, and its configuration key by key. An edit never moves a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..clock import to_micros
from ..plans.entries import compile_plans
from ..schemas import CALLBACK_URL, load_configuration
from ..secrets import MASK
from ..store import instances, subscriptions
from . import finding, pollset
from .draft import clean_name, clean_tags, refuse_masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..store.instances import InstanceRow
    from .parts import Parts


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """What to change; None leaves the name, the tags or the configuration alone."""

    name: str | None = None
    tags: Sequence[str] | None = None
    configuration: Mapping[str, Any] | None = None

    def columns(self) -> dict[str, Any]:
        """The new values of the columns that have one."""
        values: dict[str, Any] = {}
        if self.name is not None:
            values["name"] = clean_name(self.name)
        if self.tags is not None:
            values["tags"] = clean_tags(self.tags)
        return values


def update(parts: Parts, instance_id: int, edit: Edit) -> InstanceRow:
    """Make an edit. If several are made at the same time, each one builds on those before it."""
    while not _apply(parts, instance_id, edit):
        continue
    return finding.get(parts.database, instance_id)


def _apply(parts: Parts, instance_id: int, edit: Edit) -> bool:
    """Edit the present state of an instance. Writes nothing and returns False if it has changed in between."""
    row = finding.get(parts.database, instance_id)
    element = parts.plugins.element(row.element_key)
    with parts.database.read() as connection:
        held = parts.vault.open(connection, row)
    given = edit.configuration or {}
    # A secret that was shown masked and comes back masked keeps its value.
    raw = held | {key: value for key, value in given.items() if value != MASK or key not in held}
    refuse_masked(element, raw)
    config = load_configuration(element, raw)
    plans = compile_plans(element, config, parts.plugins)
    public, hidden = parts.vault.split(element, raw)
    now = parts.clock.now()
    provider_now = now + timedelta(microseconds=row.clock_offset)
    with parts.database.write() as connection:
        values = {"configuration": public, **edit.columns()}
        if not instances.change(connection, instance_id, to_micros(now), values, version=row.version):
            return False
        parts.vault.close(connection, instance_id, hidden)
        subscriptions.set_callback_url(connection, instance_id, config[CALLBACK_URL], to_micros(now))
        pollset.start(connection, instance_id, config, plans, now=now, provider_now=provider_now)
        pollset.reschedule(connection, instance_id, config, plans, now=now)
        pollset.forget_untracked(connection, instance_id, plans)
    return True
