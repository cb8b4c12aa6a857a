"""Styles of paging: how a list is cut into pages, and what else a page contains. The counterpart of `paging`."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from ..call import SECRETS
from ..replies import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..call import Call
    from .table import Row


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One page. `fields` are put beside the records in the body; a dotted name is a field of an object (`meta.next`).

    >>> body_of(Cut(rows=[{"id": "1"}], fields={"meta.next": None}), "items")
    {'meta': {'next': None}, 'items': [{'id': '1'}]}
    """

    rows: Sequence[Row]
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Style(Protocol):
    """How a list is cut into pages.

    A provider whose pages are single records:

    >>> class OneByOne:
    ...     def cut(self, rows: Sequence[Row], call: Call) -> Cut:
    ...         at = call.number("record", 0)
    ...         return Cut(rows=rows[at : at + 1], headers={"X-Records": str(len(rows))})
    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> OneByOne().cut([{"id": "1"}, {"id": "2"}], Call(request=Request.from_values("/orders?record=1"))).rows
    [{'id': '2'}]
    """

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        """The page that a call asks for. `ApiError` if there is no such page."""
        ...


@dataclass(frozen=True, kw_only=True)
class AllAtOnce:
    """The whole list in one answer.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> len(AllAtOnce().cut([{"id": "1"}, {"id": "2"}], Call(request=Request.from_values("/orders"))).rows)
    2
    """

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        return Cut(rows=rows)


@dataclass(frozen=True, kw_only=True)
class OffsetPages:
    """`total` and `total_header` name the field and the header with the number of all records; None leaves them out.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> rows = [{"id": str(n)} for n in range(5)]
    >>> cut = OffsetPages(default=2).cut(rows, Call(request=Request.from_values("/orders?offset=4")))
    >>> cut.rows, cut.fields
    ([{'id': '4'}], {'total': 5})
    """

    offset: str = "offset"
    limit: str = "limit"
    default: int = 20
    most: int = 100
    first: int = 0
    total: str | None = "total"
    total_header: str | None = None

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        size = call.number(self.limit, self.default, least=1, most=self.most)
        at = call.number(self.offset, self.first) - self.first
        return _counted(rows[max(at, 0) : at + size], len(rows), self.total, self.total_header)


@dataclass(frozen=True, kw_only=True)
class NumberedPages:
    """With `repeats_last_page`, a page after the end is answered with the last page.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> rows = [{"id": str(n)} for n in range(5)]
    >>> style = NumberedPages(default=2, total=None, total_header="X-Total-Count", repeats_last_page=True)
    >>> cut = style.cut(rows, Call(request=Request.from_values("/orders?page=9")))
    >>> cut.rows, cut.headers
    ([{'id': '4'}], {'X-Total-Count': '5'})
    """

    page: str = "page"
    size: str = "page_size"
    default: int = 20
    most: int = 100
    first: int = 1
    total: str | None = "total"
    total_header: str | None = None
    repeats_last_page: bool = False

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        size = call.number(self.size, self.default, least=1, most=self.most)
        number = self.number(rows, call, size)
        return _counted(rows[number * size : (number + 1) * size], len(rows), self.total, self.total_header)

    def number(self, rows: Sequence[Row], call: Call, size: int) -> int:
        """The number of the page, from 0."""
        number = max(call.number(self.page, self.first) - self.first, 0)
        return min(number, last_page(len(rows), size)) if self.repeats_last_page else number


def last_page(count: int, size: int) -> int:
    """The number of the last page, from 0; an empty list has one page.

    >>> last_page(0, 20), last_page(40, 20), last_page(41, 20)
    (0, 1, 2)
    """
    return max(0, (count - 1) // size)


def _counted(rows: Sequence[Row], count: int, name: str | None, header: str | None) -> Cut:
    return Cut(
        rows=rows,
        fields={} if name is None else {name: count},
        headers={} if header is None else {header: str(count)},
    )


@dataclass(frozen=True, kw_only=True)
class CursorPages:
    """`cursor` is where the token stands in the body, `more` a flag that says whether a page follows.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> rows = [{"id": str(n)} for n in range(3)]
    >>> style = CursorPages(default=2, cursor="meta.next")
    >>> first = style.cut(rows, Call(request=Request.from_values("/orders")))
    >>> token = first.fields["meta.next"]
    >>> style.cut(rows, Call(request=Request.from_values(f"/orders?cursor={token}")))
    Cut(rows=[{'id': '2'}], fields={'meta.next': None}, headers={})
    """

    param: str = "cursor"
    size: str = "limit"
    default: int = 20
    most: int = 100
    cursor: str = "next_cursor"
    more: str | None = None

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        size = call.number(self.size, self.default, least=1, most=self.most)
        at = _position(call.param(self.param))
        goes_on = at + size < len(rows)
        fields: dict[str, Any] = {self.cursor: _token(at + size) if goes_on else None}
        if self.more is not None:
            fields[self.more] = goes_on
        return Cut(rows=rows[at : at + size], fields=fields)


def _token(at: int) -> str:
    return base64.urlsafe_b64encode(f"at:{at}".encode()).decode()


def _position(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("at:"))
    except ValueError:
        raise ApiError(400, "the cursor is not one of ours") from None


@dataclass(frozen=True, kw_only=True)
class LinkedPages:
    """The next page's address: at `link` in the body, else in a `Link` header; `relative` leaves out the host.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> rows = [{"id": str(n)} for n in range(3)]
    >>> LinkedPages(default=2, relative=True).cut(rows, Call(request=Request.from_values("/orders"))).headers
    {'Link': '</orders?after=2>; rel="next"'}
    >>> LinkedPages(default=2, link="next").cut(rows, Call(request=Request.from_values("/orders"))).fields
    {'next': 'http://localhost/orders?after=2'}
    """

    size: str = "limit"
    default: int = 20
    most: int = 100
    link: str | None = None
    relative: bool = False

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        size = call.number(self.size, self.default, least=1, most=self.most)
        at = call.number("after", 0)
        page, following = rows[at : at + size], None
        if at + size < len(rows):
            asked = {name: value for name, value in call.request.args.items() if name not in SECRETS}
            query = urlencode(asked | {"after": str(at + size)})
            following = f"{call.request.path if self.relative else call.request.base_url}?{query}"
        if self.link is not None:
            return Cut(rows=page, fields={self.link: following})
        return Cut(rows=page, headers={} if following is None else {"Link": f'<{following}>; rel="next"'})


@dataclass(frozen=True, kw_only=True)
class KeysetPages:
    """The records after a given one, in the order of updated stamp and id. A parameter that is None is not used.

    >>> from werkzeug.wrappers import Request
    >>> from connectory.sandbox.call import Call
    >>> rows = [{"id": id, "updated_at": "10:00"} for id in ("b", "a")]
    >>> asked = Call(request=Request.from_values("/orders?after_updated=10:00&after_id=a"))
    >>> KeysetPages().cut(rows, asked).rows
    [{'id': 'b', 'updated_at': '10:00'}]
    """

    after_updated: str | None = "after_updated"
    after_id: str | None = "after_id"
    size: str = "limit"
    default: int = 20
    most: int = 100
    updated: str = "updated_at"
    id: str = "id"

    def cut(self, rows: Sequence[Row], call: Call) -> Cut:
        size = call.number(self.size, self.default, least=1, most=self.most)
        ordered = sorted(rows, key=self._place)
        asked = [name for name in (self.after_updated, self.after_id) if name is not None]
        if any(call.param(name) for name in asked):
            after = tuple(call.param(name) for name in asked)
            # Without an id the stamp is inclusive, or records with the same stamp would be lost.
            inclusive = self.after_id is None
            ordered = [row for row in ordered if self._place(row) > after or (inclusive and self._place(row) == after)]
        return Cut(rows=ordered[:size])

    def _place(self, row: Row) -> tuple[str, ...]:
        named = ((self.after_updated, self.updated), (self.after_id, self.id))
        return tuple(str(row[field]) for name, field in named if name is not None)


def body_of(cut: Cut, records: str) -> Any:
    """The body of a page: its records at the dotted name `records`, or only the records if that is empty.

    >>> body_of(Cut(rows=[{"id": "1"}], fields={"total": 1}), "data.items")
    {'total': 1, 'data': {'items': [{'id': '1'}]}}
    >>> body_of(Cut(rows=[{"id": "1"}], fields={"total": 1}), "")
    [{'id': '1'}]
    """
    if not records:
        return list(cut.rows)
    body: dict[str, Any] = {}
    for name, value in {**cut.fields, records: list(cut.rows)}.items():
        *above, last = name.split(".")
        place = body
        for step in above:
            place = place.setdefault(step, {})
        place[last] = value
    return body
