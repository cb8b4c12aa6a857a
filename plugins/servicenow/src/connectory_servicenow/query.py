"""A list request as parameters of the Table API.

The encoded query is the AND of the poll's window, the `where`, plain `name=value` parameters, the encoded query of the
URL, and the filter of the resource. `paging` adds the order and the place in the list.
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

# ServiceNow's own client does not send longer URLs as a GET; instances answer 414 to slightly longer ones.
_LONGEST = 10_000
_ROOM_FOR_PAGING = 400
# A poll needs these, whatever columns were asked for.
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
    """The conditions of the window of a poll that its `where` does not contain.

    A `where` never contains the upper bound, which keeps records that change during the poll from being read twice.
    A `where` that compares only another date, such as `sys_created_on > ...`, is a window of its own and gets no upper
    bound: its records that change right now would be above that bound, and not in the next window either.
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
    """The page size. A `sysparm_limit` in the URL can only make it smaller, so that a page can still be halved."""
    if given is None:
        return query.page_size
    if not given.isdigit() or int(given) < 1:
        raise ConfigurationError(f"{given!r} is not a number of records", where=_LIMIT)
    return min(int(given), query.page_size)


def _check_polled(resource: Resource, given: dict[str, str]) -> None:
    display = given.get("sysparm_display_value", dict(resource.params).get("sysparm_display_value"))
    if display == "true":
        raise ConfigurationError(
            "labels cannot be polled: their dates are in the user's zone and format",
            where=DISPLAY_VALUE,
            hint="use all, which returns stored values and labels",
        )
    if "sysparm_offset" in given or given.get("sysparm_no_count") == "true":
        raise ConfigurationError(
            "a poll pages by itself and needs the number of rows to find the end of the list",
            where="url",
            hint="leave out sysparm_offset and sysparm_no_count",
        )


def _check_length(params: dict[str, str]) -> None:
    length = len(urlencode(params, safe="", quote_via=quote)) + _ROOM_FOR_PAGING
    if length > _LONGEST:
        raise ConfigurationError(
            f"the request would be about {length} characters long, but ServiceNow accepts only {_LONGEST}",
            where="where",
            hint="use fewer conditions and shorter lists, or two poller entries; an OR of ANDs becomes the longest",
        )
