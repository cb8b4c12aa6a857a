"""Checks: a `where` is translated or refused, but never silently ignored."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from ... import ceql
from ...errors import ConnectoryError, PluginError
from ...model import PollerEntry, Query
from ...plans.compiling import compile_plan
from ...records.fetch import fetch
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...model import Params
    from .world import World

_TERMS = (
    "{field} = {value}",
    "{field} != {value}",
    "{field} < {value}",
    "{field} > {value}",
    "{field} <= {value}",
    "{field} >= {value}",
    "{field} IN ({value}, {value})",
    "{field} LIKE {value}",
)
_UNKNOWN = "no_such_field"
_TRANSLATE = "pass each term on as a parameter, or raise a QueryError; to_params and Encoder of connectory do that"


class Filters(ContractBase):
    def test_filters_are_translated_or_refused(self, world: World, resource: str) -> None:
        for field, value, other in _values(world, resource):
            for term in _TERMS:
                one = translated(world, resource, term.format(field=field, value=_quoted(value)))
                if one is None:
                    continue
                text = term.format(field=field, value="...")
                demand(
                    one != translated(world, resource, ""),
                    f"{resource} accepts the condition {text} but does not hand it on, so a user gets all records",
                    _TRANSLATE,
                )
                demand(
                    one != translated(world, resource, term.format(field=field, value=_quoted(other))),
                    f"{resource} accepts the condition {text} but ignores its value",
                    _TRANSLATE,
                )

    def test_conditions_are_all_handed_on(self, world: World, resource: str) -> None:
        terms = [f"{field} = {_quoted(value)}" for field, value, _ in _values(world, resource)]
        terms = [term for term in terms if translated(world, resource, term) is not None][:4]
        for first, second in itertools.pairwise(terms):
            both = translated(world, resource, f"{first} AND {second}")
            either = [translated(world, resource, first), translated(world, resource, second)]
            demand(
                both is None or both not in either,
                f"{resource} accepts {first} AND {second} but ignores one of the conditions",
                _TRANSLATE,
            )

    def test_or_is_not_taken_for_and(self, world: World, resource: str) -> None:
        terms = [f"{field} = {_quoted(value)}" for field, value, _ in _values(world, resource)]
        terms = [term for term in terms if translated(world, resource, term) is not None][:2]
        if len(terms) < 2:
            return
        meant = [translated(world, resource, word.join(terms)) for word in (" OR ", " AND ")]
        demand(
            meant[0] is None or meant[0] != meant[1],
            f"{resource} translates OR and AND alike",
            "raise a QueryError for the one that the provider does not support",
        )

    def test_not_is_not_left_out(self, world: World, resource: str) -> None:
        for field, value, _ in _values(world, resource):
            for plain, negated in (("IN", "NOT IN"), ("LIKE", "NOT LIKE")):
                text = f"({_quoted(value)})" if plain == "IN" else _quoted(value)
                meant = translated(world, resource, f"{field} {plain} {text}")
                turned = translated(world, resource, f"{field} {negated} {text}")
                demand(
                    turned is None or turned != meant,
                    f"{resource} translates {field} {negated} as {field} {plain}",
                    "use `negated` of In, Like and IsNull, or raise a QueryError",
                )

    def test_filters_are_obeyed(self, world: World, resource: str) -> None:
        world.create_many(resource, 2)
        whole = _listed(world, resource, "")
        if whole is None:
            broken(f"{resource} cannot be listed without a condition", _TRANSLATE)
        for field in _scalars(whole):
            wanted, record = next((one, record) for one, record in whole.items() if record.get(field) not in (None, ""))
            value = record[field]
            found = _listed(world, resource, f"{field} = {_quoted(value)}")
            others = {one for one, row in whole.items() if row.get(field) != value}
            if found is None or not others:
                continue
            demand(
                not others <= found.keys(),
                f"{resource} with {field} = {value!r} shows all {len(found)} records, but {len(others)} of them have"
                f" another {field}: the provider ignores the condition",
                "refuse the field with a QueryError, or correct the name of the parameter or the sandbox's `where`",
            )
            demand(
                wanted in found,
                f"{resource} with {field} = {value!r} does not show record {wanted}, which has that {field}",
                "the value must reach the provider unchanged",
            )

    def test_parameters_of_the_url_are_kept(self, world: World, resource: str) -> None:
        query = Query(params=(("kept_as_it_is", "7"),), page_size=10)
        try:
            params = world.plugins.translate_query(world.element, world.resource(resource), query)
        except PluginError as error:
            broken(f"a parameter of the poll URL cannot be translated: {error}", "start from query.params")
        except ConnectoryError:
            return
        demand(
            any("kept_as_it_is" in name or "kept_as_it_is" in value for name, value in params),
            f"a parameter of the poll URL of {resource} is ignored",
            "start the answer of connect_translate_query with query.params, or raise a QueryError",
        )

    def test_translation_is_the_same_each_time(self, world: World, resource: str) -> None:
        plan = world.plan(resource)
        window = world.window()
        demand(
            plan.request(window) == plan.request(window),
            f"the same window of {resource} is asked for in two ways",
            "the translation must depend only on its arguments: no counters, no clock, no order of a set",
        )


def translated(world: World, resource: str, where: str) -> Params | None:
    """The parameters of a `where` outside a poll, sorted; None if it is refused properly."""
    query = Query(expression=ceql.parse(where), page_size=10)
    try:
        params = world.plugins.translate_query(world.element, world.resource(resource), query)
    except PluginError as error:
        broken(
            f"{where} makes a hook of {resource} crash: {error}",
            "raise a QueryError for conditions that the provider does not support",
        )
    except ConnectoryError:
        return None
    return tuple(sorted(params))


def _listed(world: World, resource: str, where: str) -> dict[str, dict[str, Any]] | None:
    """The records of a list with this `where` outside a poll, by id; None if it is refused."""
    entry = PollerEntry(
        url=f"/hubs/{world.element.hub}/{resource}?where={where}",
        id_field=str(world.entry(resource).get("idField", "")),
    )
    resources = {resource: world.resource(resource)}
    found: dict[str, dict[str, Any]] = {}
    try:
        compiled = compile_plan(resource, entry, element=world.element, resources=resources, plugins=world.plugins)
        plan = replace(compiled, is_windowed=False)
        for page in fetch(plan, world.window(), world.client):
            for object_id, raw in zip(page.records.ids, page.records.raws, strict=True):
                found[str(object_id)] = msgspec.json.decode(raw)
    except PluginError as error:
        broken(
            f"{where} makes a hook of {resource} crash: {error}",
            "raise a QueryError for conditions that the provider does not support",
        )
    except ConnectoryError:
        return None
    return found


def _values(world: World, resource: str) -> Iterator[tuple[str, str, str]]:
    """Each field of a record with two values to compare it with, and an unknown field."""
    world.create(resource)
    whole = world.records(resource)
    if not whole:
        broken(f"{resource} shows no record", "see test_list_shows_new_records")
    dates = {
        field for field in (world.resource(resource).updated_field, world.resource(resource).created_field) if field
    }
    for field in sorted({*_scalars(whole), *dates}):
        value = str(next(iter(whole.values())).get(field, ""))
        yield (field, value, _another_date(value)) if field in dates else (field, value or "one", f"{value}2")
    yield _UNKNOWN, "one", "two"


def _another_date(value: str) -> str:
    """The same date in another year."""
    year = value[:4]
    return f"{int(year) - 1}{value[4:]}" if year.isdigit() else f"{value}0"


def _scalars(whole: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The fields that hold texts or numbers and whose names a `where` can contain."""
    found = {
        field
        for record in whole.values()
        for field, value in record.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    }
    return sorted(field for field in found if field.replace("_", "").isalnum())


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"
