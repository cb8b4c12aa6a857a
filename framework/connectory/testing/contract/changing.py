"""Checks: the engine polls the sandbox, and each change is announced exactly once."""

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
            f"let createdDateField name when the record was made, and idField its id; {_WHERE}",
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
            "let updatedDateField name a stamp that moves with each change, and createdDateField one that stays;"
            f" {_WHERE}",
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
            "compare the Resource's `deletes` with what the provider tells: the feed's or the log's path and dates,"
            " or whether all ids can be listed",
        )
        wrong = [one for one in kept if "DELETED" in world.told_of(one)]
        demand(
            not wrong,
            f"{len(wrong)} records of {resource} are announced as deleted that are still there",
            "let a sweep list all ids (no window, no filter), and its `total` count them",
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
            "let the same record look the same each time it is read: no counters or moments of the reading in it",
        )

    def test_what_was_there_before_is_not_announced(self, world: World, resource: str) -> None:
        world.create_many(resource, 2)
        world.clock.advance(timedelta(days=1))
        world.watch(resource)
        world.poll()
        demand(
            not world.told(),
            f"a new instance announces {len(world.told())} records of {resource} that were there before it",
            f"let updatedDateField name the stamp of the last change, in its own zone; {_WHERE}",
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
            "let a record's version depend on the record alone",
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
            f"two records of {resource} bear the stamp at which a poll ended: they are announced {told[0]} and"
            f" {told[1]} times, each should be once",
            "ask for >= the window's start; where the provider only has >, leave rendering the template to Connectory",
        )

    def test_late_records_are_announced(self, world: World, resource: str) -> None:
        _need_dates(world, resource)
        overlap = world.plan(resource).overlap
        if overlap < timedelta(seconds=2):
            world.skip("the element has no overlap: it says that nothing shows up late")
        world.watch(resource)
        world.poll()
        with world.at(world.clock.now() - world.element.settle - overlap / 2):
            made = self.create(world.sandbox, resource)
        world.poll()
        told = world.told_of(made)
        demand(
            len(told) == 1,
            f"a record of {resource} that shows up {overlap.total_seconds() / 2:g} s late is announced"
            f" {len(told)} times",
            "let the poll URL's bound follow the window: no ${...} that reads another clock",
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
            "let the judge answer RETRY to what passes, and no error count as an empty page",
        )


def _need_dates(world: World, resource: str) -> None:
    if world.plan(resource).updated is None:
        world.skip(f"the poller entry of {resource} names no updatedDateField")


def _listed(found: object) -> str:
    return str(found) if found else "nothing"
