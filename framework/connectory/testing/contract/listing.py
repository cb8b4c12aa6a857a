"""Checks: a list shows the right records, and the element reads them correctly."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from .world import World

_FIELDS = "compare the record with id_field, updated_field and created_field of the Resource, and with its poller entry"


class Listing(ContractBase):
    def test_list_shows_new_records(self, world: World, resource: str) -> None:
        made = world.create_many(resource, 2)
        missing = set(made) - set(world.ids(resource))
        demand(
            not missing,
            f"the list of {resource} lacks {len(missing)} of 2 records that were just created",
            "check path and records_path, the end of the window, and that idField holds the id from create()",
        )

    def test_ids_are_unique_texts(self, world: World, resource: str) -> None:
        world.create_many(resource, 3)
        ids = world.ids(resource)
        twice = sorted({one for one in ids if ids.count(one) > 1})
        demand(
            not twice, f"{resource} has the ids {twice[:3]} twice", "id_field must name a field whose values are unique"
        )
        for object_id in ids:
            demand(
                object_id.strip() == object_id and not object_id.startswith(("{", "[")),
                f"{object_id!r} is not a valid id",
                "id_field must name a field that holds a single text or number",
            )

    def test_id_field_holds_the_id(self, world: World, resource: str) -> None:
        plan = world.plan(resource)
        made = world.create(resource)
        for page in world.pages(resource):
            hidden = page.records.ids.count(None)
            demand(
                not hidden and not any(str(one).startswith("#") for one in page.records.ids),
                f"{hidden or 'some'} records of {resource} have no field {plan.id_field!r}",
                "let id_field, and idField of the poller entry, name the field that holds the id",
            )
        demand(
            made in world.ids(resource),
            f"{plan.id_field!r} of {resource} does not hold the record's id {made!r}",
            "let id_field, and idField of the poller entry, name the field that holds the id",
        )

    def test_updated_field_is_there(self, world: World, resource: str) -> None:
        _check_field(world, resource, "updated")

    def test_created_field_is_there(self, world: World, resource: str) -> None:
        _check_field(world, resource, "created")

    def test_update_shows_as_another_version(self, world: World, resource: str) -> None:
        made = world.create(resource)
        before = _version(world, resource, made)
        world.update(resource, made)
        demand(
            _version(world, resource, made) != before,
            f"a changed record of {resource} looks the same as before, so its change would not be announced",
            "version_field must name a counter that increases with each change, or be left out;"
            " update() of the test class must change a field",
        )

    def test_window_start_is_asked_for(self, world: World, resource: str) -> None:
        plan = world.plan(resource)
        if not plan.filters:
            world.skip(f"the poll URL of {resource} does not use a date")
        now = world.clock.now()
        earlier, _ = plan.request(world.window(now - timedelta(days=3)))
        later, _ = plan.request(world.window(now))
        demand(
            earlier.params != later.params,
            f"the start of the window does not reach the provider: the request for {resource} is always the same",
            "connect_translate_query must pass on the condition on the updated field, or use query.window.start",
        )

    def test_old_records_are_not_listed(self, world: World, resource: str) -> None:
        if not world.plan(resource).filters:
            world.skip(f"the poll URL of {resource} does not use a date")
        old = world.create(resource)
        world.clock.advance(timedelta(days=3))
        made = world.create(resource)
        ids = world.ids(resource, window=world.window(world.clock.now() - timedelta(minutes=1)))
        demand(
            made in ids and old not in ids,
            f"asked for what changed in the last minute, {resource} shows a record of three days ago"
            if old in ids
            else f"asked for what changed in the last minute, {resource} does not show a record of this second",
            "the poll URL must compare the updated field with ${gmtDate:...}, connect_translate_query must pass that"
            " on, and the sandbox's `where` must obey it",
        )

    def test_nothing_changed_is_an_empty_list(self, world: World, resource: str) -> None:
        if not world.plan(resource).filters:
            world.skip(f"the poll URL of {resource} does not use a date")
        world.clock.advance(timedelta(days=3))
        before = len(world.gateway.calls)
        ids = world.ids(resource, window=world.window(world.clock.now() - timedelta(minutes=1)))
        count = len(world.gateway.calls) - before
        demand(
            not ids,
            f"{resource} shows {len(ids)} records although nothing has changed",
            "see test_old_records_are_not_listed",
        )
        demand(
            count <= 2,
            f"an empty list of {resource} takes {count} requests",
            "the paginator must end at an empty page",
        )


def _check_field(world: World, resource: str, role: str) -> None:
    plan = world.plan(resource)
    accessor = getattr(plan, role)
    if accessor is None:
        world.skip(f"the poller entry of {resource} has no {role}DateField")
    world.create(resource)
    for page in world.pages(resource):
        for row, object_id in zip(page.records.rows, page.records.ids, strict=True):
            demand(
                accessor(row) not in (None, ""),
                f"record {object_id} of {resource} has no value in the field that {role}DateField names",
                _FIELDS,
            )


def _version(world: World, resource: str, record_id: str) -> str:
    versions: dict[str | None, str] = {}
    for page in world.pages(resource):
        versions |= dict(zip(page.records.ids, page.records.versions, strict=True))
    if record_id not in versions:
        broken(f"{resource} does not show record {record_id}", "see test_id_field_holds_the_id")
    return versions[record_id]
