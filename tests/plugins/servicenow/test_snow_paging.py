"""The walk through a list, against a small table that hides rows after the limit as ServiceNow does."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectory.errors import ProviderError
from connectory.model import Page, Query, Request, Response, Window
from connectory_servicenow.paging import KeysetPages

END = "2024-05-01 10:00:59"
IN_WINDOW = f"sys_updated_on<={END}"
TESTS = {">=": operator.ge, "<=": operator.le, ">": operator.gt}


@dataclass
class Row:
    sys_id: str
    sys_updated_on: str
    hidden: bool = False


@dataclass
class Table:
    """Answers requests; `shown` are the ids of the last answer."""

    rows: list[Row]
    limit: int = 10_000
    counts: bool = True
    forbids: bool = False
    asked: list[Request] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Page:
        assert request not in self.asked, "the engine takes a repeated request for a walk that does not advance"
        assert len(dict(request.params)) == len(request.params)
        self.asked.append(request)
        found = self.select(request.param("sysparm_query") or "")
        offset, limit = int(request.param("sysparm_offset") or 0), int(request.param("sysparm_limit"))
        page = found[offset : offset + min(limit, self.limit)]
        shown = [row for row in page if not row.hidden]
        forbidden = self.forbids and page and not shown
        headers = {"X-Total-Count": str(len(found))} if self.counts and not forbidden else {}
        last = (shown[-1].sys_id, shown[-1].sys_updated_on) if shown else None
        response = Response(status=403 if forbidden else 200, headers=headers, body=b"")
        self.shown = [row.sys_id for row in shown]
        return Page(response=response, rows=len(shown), last=last)

    def select(self, query: str) -> list[Row]:
        groups: list[list[str]] = []
        orders: list[str] = []
        for part in query.split("^"):
            if part.startswith("ORDERBY"):
                orders.append(part.removeprefix("ORDERBY"))
            elif part.startswith("OR"):
                groups[-1].append(part.removeprefix("OR"))
            elif part:
                groups.append([part])
        found = [row for row in self.rows if all(any(holds(row, test) for test in group) for group in groups)]
        return sorted(found, key=lambda row: [getattr(row, name) for name in orders])


def holds(row: Row, condition: str) -> bool:
    name, sign, value = next((*condition.partition(sign),) for sign in TESTS if sign in condition)
    return TESTS[sign](getattr(row, name), value)


def walk(table: Table, page_size: int, query: str = IN_WINDOW, between=lambda: None) -> list[str]:
    """The ids in the order in which they were shown."""
    request = Request(path="/table/x", params=(("sysparm_query", query), ("sysparm_limit", str(page_size))))
    window = Window(start=datetime(2024, 5, 1, tzinfo=UTC), end=datetime(2024, 5, 1, 10, 0, 59, tzinfo=UTC))
    steps = KeysetPages().walk(request, Query(page_size=page_size, window=window))
    found: list[str] = []
    asked = next(steps)
    while True:
        page = table.answer(asked)
        found += table.shown
        between()
        try:
            asked = steps.send(page)
        except StopIteration:
            return found


def page(total: int, rows: int, last: tuple[str, str] | None) -> Page:
    response = Response(status=200, headers={"X-Total-Count": str(total)}, body=b"")
    return Page(response=response, rows=rows, last=last)


def sys_id(number: int) -> str:
    return f"{number * 2654435761 % 2**32:032x}"


def stamp(second: int) -> str:
    return f"2024-05-01 10:00:{second:02}"


ROWS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([False, False, True, True, True])), max_size=24).map(
    lambda pairs: [Row(sys_id(number), stamp(second), hidden) for number, (second, hidden) in enumerate(pairs)]
)
QUERIES = st.sampled_from([IN_WINDOW, ""])


def hidden(*flags: bool) -> list[Row]:
    return [Row(sys_id(number), stamp(0), flag) for number, flag in enumerate(flags)]


@settings(max_examples=600, deadline=None)
@given(ROWS, st.integers(1, 5), QUERIES, st.booleans())
@example(hidden(*[True] * 6, False), 2, IN_WINDOW, False)
@example(hidden(False, False, False, False), 2, IN_WINDOW, False)
@example(hidden(False, True, True, True, True, True, False), 2, IN_WINDOW, True)
def test_every_visible_row_once_in_few_requests(rows, page_size, query, forbids):
    table = Table(rows, forbids=forbids)
    found = walk(table, page_size, query)
    assert sorted(found) == sorted(row.sys_id for row in rows if not row.hidden)
    assert len(table.asked) <= 2 * ceil(len(rows) / page_size) + 2
    if not any(row.hidden for row in rows):
        assert len(table.asked) == max(1, ceil(len(rows) / page_size))


@settings(max_examples=600, deadline=None)
@given(ROWS, st.integers(1, 4), st.lists(st.integers(0, 23), max_size=30), QUERIES)
@example([*hidden(*[True] * 8), Row("f" * 32, stamp(3))], 2, [0, 1, 2, 3, 4, 5, 6], IN_WINDOW)
def test_no_row_is_missed_while_others_leave(rows, page_size, leaving, query):
    """A row that changes during a poll gets a stamp behind the window's end, and so leaves the list."""
    table, left = Table(rows), iter(leaving)

    def leave() -> None:
        number = next(left, None)
        if number is not None and number < len(rows):
            rows[number].sys_updated_on = stamp(59) + "x"

    found = walk(table, page_size, query, leave)
    stayed = {row.sys_id for number, row in enumerate(rows) if not row.hidden and number not in leaving}
    assert stayed <= set(found)
    assert len(table.asked) <= (len(rows) + 2) * (len(leaving) + 2)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 5), st.integers(1, 5), QUERIES)
def test_no_row_is_missed_where_the_server_cuts_pages_to_less_than_the_limit(rows, page_size, cut, query):
    for row in rows:
        row.hidden = False
    assert sorted(walk(Table(rows, limit=cut), page_size, query)) == sorted(row.sys_id for row in rows)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 5), QUERIES)
def test_no_row_is_missed_where_rows_are_not_counted(rows, page_size, query):
    for row in rows:
        row.hidden = False
    assert sorted(walk(Table(rows, counts=False), page_size, query)) == sorted(row.sys_id for row in rows)


@pytest.mark.parametrize(
    ("rows", "requests"),
    [
        ([], 1),
        (hidden(False), 1),
        (hidden(*[False] * 10), 1),
        (hidden(*[False] * 11), 2),
        (hidden(*[False] * 20), 2),
        (hidden(*[True] * 10), 1),
        # One that is hidden leaves open whether the server cut the page.
        (hidden(*[False] * 5, True), 2),
    ],
)
def test_requests_of_ordinary_windows(rows, requests):
    table = Table(rows)
    walk(table, 10)
    assert len(table.asked) == requests


def test_an_idle_poll_is_one_request_even_where_nothing_is_counted():
    table = Table([], counts=False)
    walk(table, 10)
    assert len(table.asked) == 1


def test_the_queries():
    after = f"sys_updated_on>={stamp(1)}^sys_updated_on>{stamp(1)}^ORsys_id>{'a' * 32}"
    table = Table([Row("a" * 32, stamp(1)), Row("b" * 32, stamp(1))])
    walk(table, 1)
    assert [request.param("sysparm_query") for request in table.asked] == [
        f"{IN_WINDOW}^ORDERBYsys_updated_on^ORDERBYsys_id",
        f"{IN_WINDOW}^{after}^ORDERBYsys_updated_on^ORDERBYsys_id",
    ]
    table = Table([Row("a" * 32, stamp(1)), Row("b" * 32, stamp(1))])
    walk(table, 1, "")
    assert [request.param("sysparm_query") for request in table.asked] == [
        "ORDERBYsys_id",
        f"sys_id>{'a' * 32}^ORDERBYsys_id",
    ]


def test_a_parameter_given_twice_is_sent_once_as_it_was_given_last():
    request = Request(path="/x", params=(("sysparm_fields", "a"), ("sysparm_limit", "9"), ("sysparm_fields", "b")))
    sent = next(KeysetPages().walk(request, Query(page_size=100)))
    assert sorted(sent.params) == [
        ("sysparm_fields", "b"),
        ("sysparm_limit", "9"),
        ("sysparm_query", "ORDERBYsys_id"),
    ]


@pytest.mark.parametrize("last", [("INC0000001", stamp(1)), ("a" * 32, "01-05-2024"), None])
def test_a_list_by_other_fields_than_its_order_is_walked_by_offset(last):
    """An entry may read its id from `number`, or its date from another field: neither is a place in the order."""
    numbers = list(range(7))
    steps = KeysetPages().walk(Request(path="/x", params=(("sysparm_query", IN_WINDOW),)), Query(page_size=3))
    request, found = next(steps), []
    while request is not None:
        offset = int(request.param("sysparm_offset") or 0)
        found += numbers[offset : offset + 3]
        try:
            request = steps.send(page(7, len(numbers[offset : offset + 3]), last))
        except StopIteration:
            request = None
    assert found == numbers


@pytest.mark.parametrize("second", [("a" * 32, stamp(5)), ("b" * 32, stamp(4))])
def test_a_list_that_is_not_in_order_is_an_error(second):
    """Without the right query_range, ServiceNow leaves out the conditions and the order."""
    steps = KeysetPages().walk(Request(path="/x", params=(("sysparm_query", IN_WINDOW),)), Query(page_size=1))
    next(steps)
    steps.send(page(9, 1, ("a" * 32, stamp(5))))
    with pytest.raises(ProviderError, match="query_range"):
        steps.send(page(9, 1, second))
