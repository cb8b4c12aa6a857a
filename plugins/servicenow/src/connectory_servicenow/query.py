"""A list request as parameters of the Table API.

The encoded query is the AND of the poll's window, the `where`, plain `name=value` parameters, an encoded query that
stood in the URL, and the filter of the resource. Order and place in the list are added by `paging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from connectory.errors import ConfigurationError

from . import encoded
from .conditions import columns_since, conditions, dated_columns, equality, stamp
from .configuration import DISPLAY_VALUE
from .resources import CREATED, ID, UPDATED, VERSION, TableResource
from .users import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectory.model import Params, Query, Resource

# ServiceNow's own client stops sending longer ones as a GET; somewhat above, instances answer 414.
_LONGEST = 10_000
_ROOM_FOR_PAGING = 400
# A poll cannot do without these, whatever columns were asked for.
_POLLED = (ID, UPDATED, CREATED, VERSION)
_LIST, _FIELDS, _LIMIT = "sysparm_query", "sysparm_fields", "sysparm_limit"


def translate(resource: Resource, query: Query) -> Params:
    given = {name: value for name, value in query.params if name.startswith("sysparm_")}
    if query.window is not None:
        _check_polled(resource, given)
    params = {
        **given,
        _LIST: "^".join(filter(None, _parts(resource, query, given.get(_LIST, "")))),
        _LIMIT: str(_limit(query, given.get(_LIMIT))),
    }
    if _FIELDS in given:
        polled = _POLLED if query.window else ()
        params[_FIELDS] = ",".join(without_password([*given[_FIELDS].split(","), *polled]))
    _check_length(params)
    return tuple((name, value) for name, value in params.items() if value)


def _parts(resource: Resource, query: Query, raw: str) -> Iterator[str]:
    raw = encoded.checked(raw, _LIST)
    yield from _window(resource, query)
    yield from conditions(query.expression)
    yield from (equality(name, value) for name, value in query.params if not name.startswith("sysparm_"))
    yield raw
    yield resource.filter if isinstance(resource, TableResource) else ""


def _window(resource: Resource, query: Query) -> Iterator[str]:
    """The window of a poll, where its `where` does not already say it all.

    The upper bound is never said: it keeps records that change during the poll from being read twice.
    A `where` that compares another date only, such as `sys_created_on > ...`, has a window of its own: records of it
    that change right now lie behind the upper bound of the updated stamp, and are not in the next window either.
    """
    column, window = resource.updated_field, query.window
    if window is None or column is None:
        return
    dated = dated_columns(query.expression)
    if dated and column not in dated:
        return
    if column not in columns_since(query.expression):
        yield f"{column}>={stamp(window.start)}"
    yield f"{column}<={stamp(window.end)}"


def _limit(query: Query, given: str | None) -> int:
    """The page size; a `sysparm_limit` in the URL can make it smaller, so that a page can still be halved."""
    if given is None:
        return query.page_size
    if not given.isdigit() or int(given) < 1:
        raise ConfigurationError(f"{given!r} is no number of records", where=_LIMIT)
    return min(int(given), query.page_size)


def _check_polled(resource: Resource, given: dict[str, str]) -> None:
    display = given.get("sysparm_display_value", dict(resource.params).get("sysparm_display_value"))
    if display == "true":
        raise ConfigurationError(
            "labels cannot be polled: their dates are in the user's zone and format",
            where=DISPLAY_VALUE,
            hint="use all, which gives stored values and labels",
        )
    if "sysparm_offset" in given or given.get("sysparm_no_count") == "true":
        raise ConfigurationError(
            "a poll pages by itself and counts rows to know where the list ends",
            where="url",
            hint="leave out sysparm_offset and sysparm_no_count",
        )


def _check_length(params: dict[str, str]) -> None:
    length = len(urlencode(params, safe="", quote_via=quote)) + _ROOM_FOR_PAGING
    if length > _LONGEST:
        raise ConfigurationError(
            f"the request would be about {length} characters long, and ServiceNow takes {_LONGEST}",
            where="where",
            hint="use fewer conditions and shorter lists, or poll in two entries; an OR of ANDs grows the most",
        )
