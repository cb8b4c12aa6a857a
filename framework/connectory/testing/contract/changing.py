"""Checks: polls of the sandbox announce each change exactly once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ... import hints
from .base import ContractBase
from .failing import demand
from .gateway import cut
from .paging import SIZE

if TYPE_CHECKING:
    from .world import World

MOST_SWEEPS = 4

_WHERE = hints.EXPLAIN_RECORDS


class Changing(ContractBase):
    def test_created_is_announced_once(self, world: World, resource: str) -> None:
        world.watch(resource)
        made = world.create(resource)
        world.poll()
        expected = {"CREATED"} if world.plan(resource).created else {"CREATED", "UPDATED"}
        told = world.told_of(made)
        demand(
            len(told) == 1 and told[0] in expected,
            f"a new record of {resource} is announced as {_listed(told)} instead of CREATED, once",
            f"createdDateField must name the date of creation, and idField the id; {_WHERE}",
        )

    def test_updated_is_announced_once(self, world: World, resource: str) -> None:
        made = world.create(resource)
        world.clock.advance(timedelta(days=1))
        world.watch(resource)
        world.update(resource, made)
        world.poll()
        told = world.told_of(made)
        demand(
            told == ["UPDATED"],
            f"a changed record of {resource} is announced as {_listed(told)} instead of UPDATED, once",
            f"updatedDateField must name a date that each change moves, and createdDateField one that stays; {_WHERE}",
        )

    def test_deleted_is_announced_once(self, world: World, resource: str) -> None:
        if world.resource(resource).deletes is None:
            world.skip(f"{resource} has no way to find deletions")
        kept = world.create_many(resource, 3)
        gone = world.create(resource)
        world.clock.advance(timedelta(days=1))
        world.watch(resource, trackDeletes={"interval": 1, "maxShare": 1})
        world.poll()
        world.delete(resource, gone)
        for _ in range(MOST_SWEEPS):
            world.poll()
        told = world.told_of(gone)
        demand(
            told == ["DELETED"],
            f"a deleted record of {resource} is announced as {_listed(told)} instead of DELETED, once",
            "compare the Resource's `deletes` with the provider: the path and the dates of its feed or log,"
            " or whether all ids can be listed",
        )
        wrong = [one for one in kept if "DELETED" in world.told_of(one)]
        demand(
            not wrong,
            f"{len(wrong)} records of {resource} are announced as deleted although they still exist",
            "a sweep must list all ids, without a window or a filter, and its `total` must count them",
        )

    def test_nothing_new_is_announced_twice(self, world: World, resource: str) -> None:
        world.watch(resource)
        made = world.create(resource)
        world.update(resource, made)
        world.poll()
        before = world.told()
        for _ in range(2):
            world.poll()
        again = world.told()[len(before) :]
        demand(
            not again,
            f"polls without a change announce {_listed(again)} of {resource}",
            "an unchanged record must look the same each time, without fields that depend on the request",
        )

    def test_what_was_there_before_is_not_announced(self, world: World, resource: str) -> None:
        world.create_many(resource, 2)
        world.clock.advance(timedelta(days=1))
        world.watch(resource)
        world.poll()
        demand(
            not world.told(),
            f"a new instance announces {len(world.told())} records of {resource} that are older than it",
            f"updatedDateField must name the date of the last change, and be read in its zone; {_WHERE}",
        )

    def test_many_changes_are_each_announced_once(self, world: World, resource: str) -> None:
        world.watch(resource, pageSize=SIZE)
        made = world.create_many(resource, SIZE * 3)
        world.poll()
        world.poll()
        missing = [one for one in made if not world.told_of(one)]
        demand(
            not missing,
            f"{len(missing)} of {len(made)} new records of {resource}, read in pages of {SIZE}, are not announced",
            f"see test_pages_hold_each_record_once; {_WHERE}",
        )
        demand(
            not world.told_twice(),
            f"{_listed(world.told_twice())} of {resource} are announced twice",
            "the version of a record must depend only on the record",
        )

    def test_ties_at_the_bound_are_announced(self, world: World, resource: str) -> None:
        _need_dates(world, resource)
        world.watch(resource, overlap=0)
        bound = world.clock.now() + timedelta(seconds=60) - world.element.settle
        with world.at(bound):
            first = self.create(world.sandbox, resource)
        world.poll()
        with world.at(bound):
            second = self.create(world.sandbox, resource)
        world.poll()
        told = [len(world.told_of(one)) for one in (first, second)]
        demand(
            told == [1, 1],
            f"two records of {resource} have the stamp at which a poll ended: they are announced {told[0]} and"
            f" {told[1]} times instead of once each",
            "ask for >= the start of the window; if the provider only has >, let Connectory render the template",
        )

    def test_late_records_are_announced(self, world: World, resource: str) -> None:
        _need_dates(world, resource)
        overlap = world.plan(resource).overlap
        if overlap < timedelta(seconds=2):
            world.skip("the element has no overlap, which means that no record becomes visible late")
        world.watch(resource)
        world.poll()
        with world.at(world.clock.now() - world.element.settle - overlap / 2):
            made = self.create(world.sandbox, resource)
        world.poll()
        told = world.told_of(made)
        demand(
            len(told) == 1,
            f"a record of {resource} that becomes visible {overlap.total_seconds() / 2:g} s late is announced"
            f" {len(told)} times",
            "the bound in the poll URL must follow the window, so use no ${...} that reads another clock",
        )

    def test_failed_polls_lose_nothing(self, world: World, resource: str) -> None:
        world.watch(resource, pageSize=SIZE)
        made = world.create_many(resource, SIZE * 2)
        troubles: list[Any] = [world.error(500), None, world.error(503), None, cut]
        world.gateway.script(*troubles)
        for _ in range(6):
            world.try_to_poll(after=3600)
        world.gateway.troubles.clear()
        world.poll()
        wrong = {one: world.told_of(one) for one in made if len(world.told_of(one)) != 1}
        demand(
            not wrong,
            f"after polls that failed in the middle, {len(wrong)} of {len(made)} records of {resource} are announced"
            " more or less often than once",
            "the judge must answer RETRY to temporary errors, and must not accept an error as an empty page",
        )


def _need_dates(world: World, resource: str) -> None:
    if world.plan(resource).updated is None:
        world.skip(f"the poller entry of {resource} has no updatedDateField")


def _listed(found: object) -> str:
    return str(found) if found else "nothing"
