"""Checks: a list is read completely and once, for each number of pages and also while it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import ConnectoryError, RetryLaterError
from ...records.fetch import fetch
from ...records.identify import plain
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ...plans.plan import Plan
    from ...records.fetch import FetchedPage
    from .world import World

SIZE = 3
MOST_MADE = 150

_WALK = (
    "compare the paginator with the paging of the provider: the names of the parameters, the number of the first page,"
    " the largest size, and how the last page is recognised"
)


class Paging(ContractBase):
    def test_pages_hold_each_record_once(self, world: World, resource: str) -> None:
        made = _fill(world, resource, SIZE * 2)
        # Make the last page a short one.
        made += world.create_many(resource, (-len(world.ids(resource)) - 1) % SIZE)
        ids, pages = _walked(world, resource)
        _check_whole(made, ids, resource)
        demand(pages >= 2, f"{len(ids)} records of {resource} come as one page", _WALK)
        twice = sorted({one for one in ids if ids.count(one) > 1})
        demand(
            not twice,
            f"{resource} shows {len(twice)} records on two pages although nothing has changed",
            "ask for a stable order, for example by created stamp or id",
        )

    def test_full_last_page_ends_the_list(self, world: World, resource: str) -> None:
        made = _fill(world, resource, SIZE * 2)
        made += world.create_many(resource, -len(world.ids(resource)) % SIZE)
        before = len(world.gateway.calls)
        ids, _ = _walked(world, resource)
        _check_whole(made, ids, resource)
        calls = len(world.gateway.calls) - before
        most = len(ids) // SIZE + 1
        demand(
            calls <= most or not _obeys_size(world, resource),
            f"{len(ids)} records of {resource} in pages of {SIZE} take {calls} requests, at most {most} are needed",
            "after a full last page, the paginator may make one more request, or none if the provider sends a total",
        )

    def test_single_page_takes_one_request(self, world: World, resource: str) -> None:
        world.plan(resource)
        world.create(resource)
        before = len(world.gateway.calls)
        count = len(world.ids(resource))
        calls = len(world.gateway.calls) - before
        demand(
            calls <= 2 or count >= world.element.page_size,
            f"{count} records of {resource} take {calls} requests with a page size of {world.element.page_size}",
            "name the parameter for the page size, and end the list at a short page or at the total",
        )

    def test_no_page_is_read_twice(self, world: World, resource: str) -> None:
        _fill(world, resource, SIZE * 3)
        before = len(world.gateway.calls)
        _walked(world, resource)
        asked = [(call.path, call.params) for call in world.gateway.calls[before:]]
        demand(len(asked) == len(set(asked)), f"a page of {resource} is asked for twice", _WALK)
        bodies = [call.body for call in world.gateway.calls[before:] if _has_rows(world, resource, call.body)]
        demand(
            len(bodies) == len(set(bodies)),
            f"the provider sent the same page of {resource} twice, and the paginator did not notice",
            "set repeats_last_page of PageNumber, or total, or correct the names of the parameters",
        )

    def test_page_size_is_asked_for(self, world: World, resource: str) -> None:
        _fill(world, resource, SIZE * 2)
        sizes = [len(page.records.ids) for page in world.pages(resource, SIZE)]
        demand(
            max(sizes) <= SIZE or not _obeys_size(world, resource),
            f"asked for pages of {SIZE}, {resource} returns pages of {max(sizes)}",
            "name the parameter for the page size (`size`, `limit`) in the paginator",
        )

    def test_changes_in_mid_scan_lose_nothing(self, world: World, resource: str) -> None:
        made = _fill(world, resource, SIZE * 4)

        def change(read: Sequence[str]) -> set[str]:
            unread = [one for one in made if one not in read]
            touched = {read[0], *unread[-1:]}
            for one in touched:
                world.update(resource, one)
            return touched

        _check_disturbed(world, resource, made, change)

    def test_new_records_in_mid_scan_lose_nothing(self, world: World, resource: str) -> None:
        made = _fill(world, resource, SIZE * 4)

        def grow(read: Sequence[str]) -> set[str]:
            world.create_many(resource, 2)
            return set()

        _check_disturbed(world, resource, made, grow)

    def test_order_of_a_keyset_holds(self, world: World, resource: str) -> None:
        _fill(world, resource, SIZE * 4)
        plan = world.plan(resource)
        read = list(world.pages(resource, SIZE))
        by = _goes_on_by(read, plan)
        if not by:
            world.skip(f"the pages of {resource} are not asked for by the last record before them")
        places = [[place[part] for part in by] for page in read for place in _places(page, plan)]
        demand(
            places == sorted(places),
            f"the records of {resource} do not come in the order that paging relies on, so some are skipped",
            "ask for that order (`order` of Keyset): by the updated stamp and then the id, or only by the id",
        )


def _fill(world: World, resource: str, least: int) -> list[str]:
    """Create records until the list has several pages; return their ids."""
    made = world.create_many(resource, least)
    while _obeys_size(world, resource) is False and len(made) < MOST_MADE and _count_pages(world, resource) < 3:
        made += world.create_many(resource, 10)
    if _count_pages(world, resource) < 2:
        world.skip(f"{resource} is not paged")
    return made


def _count_pages(world: World, resource: str) -> int:
    return sum(1 for _ in world.pages(resource, SIZE))


def _obeys_size(world: World, resource: str) -> bool:
    """Whether the page size reaches the provider. Some providers have a fixed page size."""
    plan = world.plan(resource)
    asked = [next(plan.paginator.walk(*plan.request(world.window(), size))).params for size in (SIZE, SIZE + 1)]
    return asked[0] != asked[1]


def _walked(world: World, resource: str) -> tuple[list[str], int]:
    ids: list[str] = []
    number = 0
    for page in world.pages(resource, SIZE):
        ids += [one for one in page.records.ids if one is not None]
        number = page.number
    return ids, number


def _check_whole(made: Collection[str], ids: Collection[str], resource: str) -> None:
    missing = set(made) - set(ids)
    demand(not missing, f"read page by page, {resource} lacks {len(missing)} of {len(made)} records", _WALK)


def _has_rows(world: World, resource: str, body: bytes) -> bool:
    try:
        return bool(world.plan(resource).rows(body))
    except msgspec.DecodeError:
        return False


def _check_disturbed(world: World, resource: str, made: Sequence[str], disturb: Any) -> None:
    """Read a list that changes after its first page. All records that did not change must be in it."""
    there = {*made, *world.ids(resource)}
    plan, ids, touched = world.plan(resource), list[str](), set[str]()
    try:
        for page in fetch(plan, world.window(), world.client, SIZE):
            ids += [one for one in page.records.ids if one is not None]
            if page.number == 1:
                touched = disturb(ids)
    except RetryLaterError:
        # The paginator noticed the change; the next poll reads the window again.
        return
    except ConnectoryError as error:
        broken(f"a list of {resource} that changes while it is read ends with an error: {error}", _WALK)
    missing = there - touched - set(ids)
    demand(
        not missing,
        f"records changed while {resource} was read, and {len(missing)} others were never shown, so they would be lost",
        "ask for an order that changes do not affect (the created stamp, the id), page by Keyset,"
        " or give the paginator a total",
    )


STAMP, ID = 0, 1


def _places(page: FetchedPage, plan: Plan) -> list[tuple[Any, Any]]:
    """The updated stamp and the id of each record; ids of digits are compared as numbers."""
    found = []
    for row in page.records.rows:
        one = str(plain(plan.place_id(row)))
        number = (int(one), "") if one.isdigit() else (0, one)
        found.append(("" if plan.place is None else str(plain(plan.place(row))), number))
    return found


def _goes_on_by(read: Sequence[FetchedPage], plan: Plan) -> list[int]:
    """Which values of the last record the request for the second page contains: the stamp, the id, both, or none."""
    if len(read) < 2 or read[0].records.ids[-1:] in ([], [None]):
        return []
    added = {value for _, value in set(read[1].request.params) - set(read[0].request.params)}
    last = read[0].records.rows[-1]
    texts = {
        STAMP: "" if plan.place is None else str(plain(plan.place(last))),
        ID: str(plain(plan.place_id(last))),
    }
    # A short id may be part of a parameter by chance.
    return [
        part
        for part, text in texts.items()
        if text and any(text == value or (len(text) > 5 and text in value) for value in added)
    ]
