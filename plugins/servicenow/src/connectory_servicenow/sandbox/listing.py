"""Lists: finds the records of a request, hides those that the user may not see, and links the pages."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from .call import Call
from .paths import find_path
from .query import Condition, Query, parse
from .replies import ApiError
from .store import Record

DEFAULT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    total: int
    """The number of rows that match, before access rights are applied."""
    offset: int
    limit: int
    found: int
    """The number of rows of this page, before access rights are applied."""
    records: list[Record | None]
    """None stands for a row that is shown without fields."""


def require_table(call: Call, table: str) -> None:
    if table not in call.instance.schema:
        raise ApiError(400, f"Invalid table {table}")
    if table in call.switches.acl.forbidden_tables:
        raise ApiError(403, "User Not Authorized", f"Failed API level ACL Validation: {table}")


def select_page(call: Call, table: str, default_limit: int = DEFAULT_LIMIT) -> Page:
    offset, limit = _number(call, "sysparm_offset", 0), _number(call, "sysparm_limit", default_limit)
    if offset < 0 or limit < 0:
        raise ApiError(400, "Invalid sysparm_offset or sysparm_limit", "negative values are not allowed")
    rows = select_rows(call, table, offset)
    found = rows[offset : offset + limit]
    # Access rights are applied after the limit, so pages in the middle of a list can be short or empty.
    visible = [] if call.fault("empty_page") else list(_readable(call, table, found))
    if found and not visible and call.switches.acl.forbidden_when_all_hidden:
        raise ApiError(403, "User Not Authorized", f"{len(found)} rows of {table} are constrained by ACL")
    return Page(len(rows), offset, limit, len(found), visible)


def select_rows(call: Call, table: str, offset: int = 0) -> list[Record]:
    """All rows that match, in order."""
    query = Query(((),), ()) if call.fault("ignored_query") else _query(call, table)
    if call.fault("ignored_filter"):
        query = Query(((),), query.orders)
    matcher = call.matcher(table)
    matches = matcher.compile(query, table)
    if matcher.invalid and call.switches.returns_no_rows:
        return []
    within = matcher.compile(call.switches.acl.before_query.get(table, ""), table)
    rows = [record for record in call.instance.store.rows(table) if matches(record) and within(record)]
    _shuffle(call, rows, table, offset)
    matcher.sort(rows, query.orders, table)
    return rows


def may_read(call: Call, table: str, record: Record) -> bool:
    return next(_readable(call, table, [record]), None) is not None


def _query(call: Call, table: str) -> Query:
    if call.param("sysparm_query"):
        return parse(call.param("sysparm_query"))
    pairs = [
        (Condition(name, "=", value),)
        for name, value in call.request.args.items()
        if not name.startswith("sysparm_") and find_path(call.instance.store, table, name)
    ]
    return Query((tuple(pairs),), ())


def _shuffle(call: Call, rows: list[Record], table: str, offset: int) -> None:
    """Sort rows as the switch `shuffle` says; rows that the query does not order stay in this order."""
    mode = call.switches.shuffle
    if mode == "off":
        return
    salt = call.instance.seed
    if mode == "page":
        salt = hash((salt, offset, call.instance.store.revision(table)))
    rows.sort(key=lambda record: hash((salt, zlib.crc32(record.sys_id.encode()))))


def _readable(call: Call, table: str, rows: list[Record]) -> Iterator[Record | None]:
    acl, fault = call.switches.acl, call.fault("hidden_rows")
    hidden_query = acl.hidden_rows.get(table)
    is_hidden = call.matcher(table).compile(hidden_query, table) if hidden_query else None
    share = fault.number(0.5) if fault else acl.hidden_share.get(table, 0)
    for record in rows:
        if (is_hidden and is_hidden(record)) or (share and _draw(call.instance.seed, record) < share):
            if acl.hidden_as == "empty":
                yield None
        else:
            yield record


def _draw(seed: int, record: Record) -> float:
    """A number from 0 to 1, always the same for a record."""
    return zlib.crc32(f"{record.sys_id}{seed}".encode()) / 2**32


def _number(call: Call, name: str, default: int) -> int:
    try:
        return int(call.param(name))
    except ValueError:
        return default


def shown_fields(call: Call, table: str) -> tuple[str, ...]:
    """The requested fields in the requested order, without those that the user may not read."""
    asked = [name.strip() for name in call.param("sysparm_fields").split(",") if name.strip()]
    names = asked or list(call.instance.schema.columns(table))
    dropped = set(call.switches.acl.dropped_fields.get(table, ()))
    return tuple(dict.fromkeys(name for name in names if name not in dropped))


def page_headers(call: Call, page: Page) -> dict[str, str]:
    headers = {}
    if not call.flag("sysparm_no_count"):
        headers["X-Total-Count"] = str(page.total)
    if not call.flag("sysparm_suppress_pagination_header") and (links := _links(call, page)):
        headers["Link"] = ",".join(f'<{url}>;rel="{name}"' for name, url in links.items())
    return headers


def _links(call: Call, page: Page) -> dict[str, str]:
    if not page.limit or (page.offset == 0 and page.total <= page.limit):
        return {}
    links = {name: _page_url(call, page.limit, offset) for name, offset in _offsets(call, page).items()}
    if any(len(url) > call.switches.longest_link for url in links.values()):
        raise ApiError(400, "Pagination not supported", "the query is too long for the Link header")
    return links


def _offsets(call: Call, page: Page) -> dict[str, int]:
    offsets = {"first": 0}
    if page.offset > 0:
        offsets["prev"] = max(0, page.offset - page.limit)
    elif call.switches.prev_on_first_page:
        offsets["prev"] = page.offset - page.limit
    if page.offset + page.limit < page.total:
        offsets["next"] = page.offset + page.limit
    if not call.flag("sysparm_no_count"):
        offsets["last"] = (page.total - 1) // page.limit * page.limit
    return offsets


def _page_url(call: Call, limit: int, offset: int) -> str:
    kept = [pair for pair in call.request.query_string.decode("latin-1").split("&") if pair and not _is_paging(pair)]
    pairs = [*kept, f"sysparm_limit={limit}", f"sysparm_offset={offset}"]
    # Encode commas and angle brackets, which would end the link.
    query = quote("&".join(pairs), safe="%&=+^!*'()~:@/?$")
    return f"{call.host}{quote(call.request.path)}?{query}"


def _is_paging(pair: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) in {"sysparm_limit", "sysparm_offset"}
