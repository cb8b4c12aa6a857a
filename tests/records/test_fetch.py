"""Reading a window page by page: what is a page, and what is none."""

from __future__ import annotations

import json
import sys

import pytest
from test_plan import MOMENT, plan

from connectory.errors import ProviderError
from connectory.http import PageTooHeavyError
from connectory.model import ACCEPT, Action, Response, Verdict, Window
from connectory.records.fetch import fetch
from connectory.records.smallerpages import SMALLEST_PAGE, in_smaller_pages


class Numbered:
    """Pages by their number, until one has no usable record."""

    def __init__(self) -> None:
        self.pages = []

    def walk(self, request, query):
        number = 1
        while True:
            page = yield request.with_params(number=str(number))
            self.pages.append((page.rows, page.last, page.places()))
            if not page.rows:
                return
            number += 1


class Scripted:
    """Answers with these bodies, one after another."""

    def __init__(self, *bodies: object, verdict: Verdict = ACCEPT) -> None:
        self.bodies = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
        self.verdict = verdict
        self.requests = []

    def exchange(self, request):
        self.requests.append(request)
        return Response(status=200, headers={}, body=self.bodies[len(self.requests) - 1]), self.verdict


def versioned(**more):
    """A plan whose records have a version of their own, so that none is named by its content."""
    dates = {"updatedDateField": "at", "updatedDateFormat": "yyyy-MM-dd"}
    entry = {"datesConfiguration": dates} | more.pop("entry", {})
    return plan(entry=entry, updated_field="at", version_field="count", **more)


def read(a_plan, client) -> list[list[str | None]]:
    return [list(page.records.ids) for page in fetch(a_plan, Window(start=MOMENT, end=MOMENT), client)]


@pytest.mark.parametrize("records_path", ["", "data", "data.items"])
@pytest.mark.parametrize("body", [b"", b" ", b"\r\n", b"<html>", b"[", b'{"data": [', b'"text"', b"7"])
def test_a_body_that_is_no_page_is_not_taken_for_an_empty_one(body, records_path):
    with pytest.raises(PageTooHeavyError, match="page of orders is not a list of records"):
        read(plan(records_path=records_path, paginator=Numbered()), Scripted(body))


def test_nothing_is_read_after_a_body_that_is_no_page():
    client = Scripted([{"id": 1}], b"", [{"id": 2}], [])
    pages = fetch(plan(paginator=Numbered()), Window(start=MOMENT, end=MOMENT), client)
    assert list(next(pages).records.ids) == ["1"]
    with pytest.raises(PageTooHeavyError):
        next(pages)
    assert (len(client.requests), list(pages)) == (2, [])


def test_a_page_that_is_said_to_be_empty_is_so_whatever_its_body():
    empty = Verdict(action=Action.EMPTY, reason="no access to any row")
    assert read(plan(paginator=Numbered()), Scripted(b"", verdict=empty)) == [[]]


@pytest.mark.parametrize(
    ("records_path", "body", "ids"),
    [
        ("", [{"id": 1}], ["1"]),
        ("", [], []),
        ("", [{"id": 1}, {}], ["1", None]),
        ("data", {"data": [{"id": 1}]}, ["1"]),
        ("data", {"data": None}, []),
        ("data", {}, []),
        ("data.items", {"data": {"items": [{"id": 1}]}}, ["1"]),
        ("data.items", {"data": None}, []),
    ],
)
def test_the_records_of_a_page(records_path, body, ids):
    assert read(plan(records_path=records_path), Scripted(body)) == [ids]


def test_pages_are_counted_and_the_last_one_is_known():
    client = Scripted([{"id": 1}], [{"id": 2}], [])
    window = Window(start=MOMENT, end=MOMENT)
    pages = [(page.number, page.last) for page in fetch(plan(paginator=Numbered()), window, client)]
    assert pages == [(1, False), (2, False), (3, True)]


def test_a_paginator_is_told_of_the_records_that_show_their_id():
    paginator = Numbered()
    rows = [{"id": 1, "at": "a"}, {"id": 2, "at": {"value": "b", "display_value": "B"}}, {"at": "c"}]
    read(versioned(paginator=paginator), Scripted(rows, []))
    assert paginator.pages == [(2, ("2", "b"), [("1", "a"), ("2", "b")]), (0, None, [])]


class CountingHolders(Scripted):
    """Notes at each request how many hold the body of the page before, beside this script."""

    def __init__(self, *bodies: object) -> None:
        super().__init__(*bodies)
        self.holders = []

    def exchange(self, request):
        if self.requests:
            before, unread = self.bodies[len(self.requests) - 1], self.bodies[-1]
            self.holders.append(sys.getrefcount(before) - sys.getrefcount(unread))
        return super().exchange(request)


def test_a_page_is_let_go_before_the_next_one_is_asked_for():
    client = CountingHolders([{"id": 1}], [{"id": 2}], [], ["never read"])
    for page in fetch(plan(paginator=Numbered()), Window(start=MOMENT, end=MOMENT), client):
        assert bytes(page.records.raws[0]) if page.records.usable else page.last
        del page
    assert client.holders == [0, 0]


def test_paging_that_does_not_advance_is_an_error():
    class Stubborn:
        def walk(self, request, query):
            while True:
                yield request

    client = Scripted([{"id": 1}], [{"id": 2}])
    with pytest.raises(ProviderError, match="paging does not advance: page 2 of orders"):
        read(plan(paginator=Stubborn()), client)
    assert len(client.requests) == 1


def test_a_list_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr("connectory.records.fetch.MOST_PAGES", 3)
    client = Scripted(*([{"id": number}] for number in range(5)))
    with pytest.raises(ProviderError, match="the list of orders did not end after 3 pages"):
        read(plan(paginator=Numbered()), client)
    assert len(client.requests) == 3


def test_records_of_which_none_has_the_id_are_a_mistake_of_the_entry():
    with pytest.raises(ProviderError, match="no record of orders has the id field 'number'"):
        read(versioned(entry={"idField": "number"}), Scripted([{"id": 1}, {"id": 2}]))
    assert read(versioned(entry={"idField": "number"}), Scripted([{}, {"id": ""}])) == [[None, None]]


def test_a_page_is_halved_until_it_can_be_given_and_no_further_than_the_smallest():
    tried = []

    def read_if_at_most(most):
        def reader(page_size):
            tried.append(page_size)
            if page_size > most:
                raise PageTooHeavyError("too heavy")
            return page_size

        return reader

    assert in_smaller_pages(200, read_if_at_most(60)) == 50
    assert tried == [200, 100, 50]
    tried.clear()
    with pytest.raises(PageTooHeavyError):
        in_smaller_pages(4 * SMALLEST_PAGE, read_if_at_most(0))
    assert tried == [100, 50, 25]
