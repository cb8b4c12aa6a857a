"""Every paginator against a small list that can be empty, cut pages, repeat its last one, and change in mid-scan."""

from __future__ import annotations

import doctest
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import deletes
from connectory.errors import ProviderError, RetryLaterError
from connectory.model import Page, Query, Request, Response
from connectory.paging import (
    CursorInBody,
    Keyset,
    NextLinkInBody,
    NextLinkInHeader,
    Offset,
    PageNumber,
    SinglePage,
    keyset,
    links,
    position,
    tokens,
)

BASE = "https://api.example.com/v2"
THINGS = Request(path="/things", params=(("state", "open"),))
TOTAL = deletes.total_in_body("total")


@dataclass
class List:
    """Answers requests of any paginator; `before_page(number)` may change the rows."""

    rows: list[int]
    cap: int = 10_000
    repeats: bool = False
    counts: bool = False
    size: str = "limit"
    before_page: object = None
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Page:
        assert request not in self.asked, "the engine takes a repeated request for a walk that does not advance"
        self.asked.append(request)
        if self.before_page is not None:
            self.before_page(len(self.asked))
        given = dict(request.params) | dict(parse_qsl(request.path.partition("?")[2]))
        assert given["state"] == "open", "the first page's parameters were lost"
        size = min(int(given.get(self.size, 20)), self.cap)
        at = self.position(given, size)
        if self.repeats and at >= len(self.rows):
            at = max(0, (len(self.rows) - 1) // size * size)
        return self.page(at, size, at + size < len(self.rows))

    def position(self, given: dict[str, str], size: int) -> int:
        if "page" in given:
            return (int(given["page"]) - 1) * size
        if "after_id" in given:
            return sum(row <= int(given["after_id"]) for row in self.rows)
        return int(given.get("offset", given.get("cursor", "0")))

    def page(self, at: int, size: int, more: bool) -> Page:
        rows = self.rows[at : at + size]
        following = f"/things?state=open&limit={size}&offset={at + size}" if more else None
        body = {"at": at, "items": rows, "cursor": str(at + size) if more else "", "next": following}
        if self.counts:
            body["total"] = len(self.rows)
        headers = {"Link": f'<{BASE}{following}>; rel="next"'} if more else {}
        response = Response(
            status=200, headers=headers, body=json.dumps(body).encode(), url=f"{BASE}/things?state=open"
        )
        places = [(str(row), f"2024-05-01T00:00:{row // 7 % 60:02}Z") for row in rows]
        return Page(response=response, rows=len(rows), last=places[-1] if places else None, places=lambda: places)


def walk(paginator, provider: List, size: int) -> list[int]:
    """All rows that a walk shows, in its order."""
    shown: list[int] = []
    steps = paginator.walk(THINGS, Query(page_size=size))
    request = next(steps)
    while True:
        assert len(provider.asked) < 500
        page = provider.answer(request)
        shown += json.loads(page.response.body)["items"]
        try:
            request = steps.send(page)
        except StopIteration:
            return shown


PAGINATORS = {
    "offset": Offset(),
    "offset with a total": Offset(total=TOTAL),
    "offset until empty": Offset(until_empty=True),
    "offset with a cap": Offset(most=10),
    "page number": PageNumber(size="limit"),
    "page number with a total": PageNumber(size="limit", total=TOTAL),
    "page number until empty": PageNumber(size="limit", until_empty=True),
    "page number of fixed pages": PageNumber(size=None),
    "cursor": CursorInBody(cursor="cursor", size="limit"),
    "link in the body": NextLinkInBody(link="next", size="limit"),
    "link in a header": NextLinkInHeader(size="limit"),
    "keyset": Keyset(after_id="after_id", size="limit"),
}
LENGTHS = [0, 1, 6, 7, 8, 13, 14, 15, 21, 60]


@pytest.mark.parametrize("name", PAGINATORS)
@pytest.mark.parametrize("length", LENGTHS)
def test_each_record_is_shown_once(name, length):
    provider = List(list(range(length)), counts="total" in name)
    assert walk(PAGINATORS[name], provider, 7) == list(range(length))


@given(rows=st.integers(0, 120).map(range).map(list), size=st.integers(1, 30), name=st.sampled_from(sorted(PAGINATORS)))
@settings(max_examples=150, deadline=None)
def test_lists_and_pages_of_any_length(rows, size, name):
    assert walk(PAGINATORS[name], List(rows, counts="total" in name), size) == rows


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("counts", [True, False])
def test_a_page_past_the_end_repeats_the_last_one(length, counts):
    pages = PageNumber(size="limit", repeats_last_page=True, total=TOTAL if counts else None)
    shown = walk(pages, List(list(range(length)), repeats=True, counts=counts), 7)
    assert set(shown) == set(range(length))
    assert len(shown) <= length + 7
    if counts:
        assert len(shown) == length


@pytest.mark.parametrize("name", ["offset with a total", "page number with a total"])
def test_a_provider_that_cuts_pages_short_loses_nothing_where_it_counts(name):
    assert walk(PAGINATORS[name], List(list(range(95)), cap=10, counts=True), 50) == list(range(95))


@pytest.mark.parametrize(
    ("paginator", "pages"),
    [
        (Offset(total=TOTAL), 3),
        (Offset(), 4),
        (PageNumber(size="limit", total=TOTAL), 3),
        (Keyset(after_id="after_id"), 2),
    ],
)
def test_how_many_requests_an_exact_multiple_takes(paginator, pages):
    provider = List(list(range(21 if pages > 2 else 20)), counts=True)
    walk(paginator, provider, 7 if pages > 2 else 20)
    assert len(provider.asked) == pages


@given(
    length=st.integers(2, 80),
    size=st.integers(2, 12),
    deletions=st.dictionaries(st.integers(2, 12), st.lists(st.integers(0, 79), min_size=1, max_size=3), max_size=4),
    insertions=st.dictionaries(st.integers(2, 12), st.integers(1, 3), max_size=4),
    name=st.sampled_from(["offset with a total", "page number with a total", "keyset"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_there_all_the_time_is_shown_though_others_come_and_go(length, size, deletions, insertions, name):
    provider = List(list(range(length)), counts=True)
    deleted: set[int] = set()

    def change(number: int) -> None:
        # Not both at once: a list that loses one record and gets another between two pages counts the same.
        if number in deletions:
            gone = set(deletions[number][: size - 1])
            deleted.update(gone)
            provider.rows = [row for row in provider.rows if row not in gone]
        else:
            provider.rows += [10_000 + number * 10 + count for count in range(insertions.get(number, 0))]

    provider.before_page = change
    try:
        shown = walk(PAGINATORS[name], provider, size)
    except RetryLaterError:
        return
    assert set(range(length)) - deleted <= set(shown)


def test_a_list_that_shrinks_with_every_page_is_left_to_the_next_poll():
    provider = List(list(range(300)), counts=True)
    provider.before_page = lambda _number: provider.rows.pop(0)
    with pytest.raises(RetryLaterError, match="records disappear from the list faster"):
        walk(PAGINATORS["page number with a total"], provider, 3)


# Circles


class Stuck(List):
    def position(self, given, size):
        return 0


@pytest.mark.parametrize(
    "name", ["offset", "offset with a total", "page number", "page number of fixed pages", "keyset"]
)
def test_a_provider_that_ignores_the_parameters_is_noticed(name):
    with pytest.raises(ProviderError, match="circles"):
        walk(PAGINATORS[name], Stuck(list(range(50)), counts="total" in name), 20)


def test_a_repeated_page_inside_a_counted_list_is_no_end():
    pages = PageNumber(size="limit", repeats_last_page=True, total=TOTAL)
    with pytest.raises(ProviderError, match="same page twice"):
        walk(pages, Stuck(list(range(50)), counts=True), 20)


@pytest.mark.parametrize(
    ("paginator", "body", "headers"),
    [
        (CursorInBody(cursor="next"), {"next": "t"}, {}),
        (NextLinkInBody(link="next"), {"next": "/things?page=2"}, {}),
        (NextLinkInHeader(), {}, {"Link": f'<{BASE}/things?page=2>; rel="next"'}),
    ],
)
def test_the_same_token_twice_is_a_circle(paginator, body, headers):
    steps = paginator.walk(THINGS, Query(page_size=5))
    next(steps)
    steps.send(page(body, headers))
    with pytest.raises(ProviderError, match="circles"):
        steps.send(page(body, headers))


def page(body: dict, headers: dict | None = None, rows: int = 5, **more) -> Page:
    response = Response(
        status=200, headers=headers or {}, body=json.dumps(body).encode(), url=f"{BASE}/things?state=open"
    )
    return Page(response=response, rows=rows, **more)


def following(paginator, *pages: Page) -> Request | None:
    steps = paginator.walk(THINGS, Query(page_size=5))
    next(steps)
    try:
        for one in pages:
            request = steps.send(one)
    except StopIteration:
        return None
    return request


# Tokens


@pytest.mark.parametrize("nothing", [{}, {"meta": {}}, {"meta": {"next": None}}, {"meta": {"next": ""}}, {"meta": []}])
def test_no_token_is_the_end(nothing):
    assert following(CursorInBody(cursor="meta.next"), page(nothing)) is None


def test_a_token_may_be_a_number_and_replaces_the_first_pages_parameters():
    paginator = CursorInBody(cursor="meta.next", param="after", alone=True)
    assert following(paginator, page({"meta": {"next": 17}})).params == (("after", "17"),)


@pytest.mark.parametrize(("more", "ends"), [(True, False), (False, True), (None, True)])
def test_a_flag_says_whether_a_page_follows(more, ends):
    found = following(CursorInBody(cursor="next", more="has_more"), page({"next": "t", "has_more": more}))
    assert (found is None) is ends


def test_a_flag_without_a_token_is_an_error():
    with pytest.raises(ProviderError, match="promises another page"):
        following(CursorInBody(cursor="next", more="has_more"), page({"has_more": True}))


# Links


@pytest.mark.parametrize(
    ("link", "path"),
    [
        (f"{BASE}/things?page=2", "/things?page=2"),
        ("/v2/things?page=2", "/things?page=2"),
        ("/things?page=2", "/things?page=2"),
        ("?page=2", "/things?page=2"),
        ("things?after=a%2Fb%20c+d", "/things?after=a%2Fb%20c+d"),
        ("/things?name=Ann Lee", "/things?name=Ann%20Lee"),
        ("/v2", "/v2"),
        ("/v22/things", "/v22/things"),
        ("/things?page=2#top", "/things?page=2"),
    ],
)
def test_addresses_become_paths_below_the_base(link, path):
    if link == "/v2":
        with pytest.raises(ProviderError, match="outside"):
            following(NextLinkInBody(link="next"), page({"next": link}))
        return
    assert following(NextLinkInBody(link="next"), page({"next": link})).path == path


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v2/things",
        "//evil.example/v2/things",
        "http://api.example.com/v2/things",
        "https://api.example.com:8443/v2/things",
        "https://api.example.com@evil.example/v2/things",
        "https://user:pw@api.example.com/v2/things",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("paginator", [NextLinkInBody(link="next"), NextLinkInHeader()])
def test_other_hosts_are_not_followed(link, paginator):
    with pytest.raises(ProviderError, match="another host"):
        following(paginator, page({"next": link}, {"Link": f"<{link}>; rel=next"}))


def test_an_address_outside_of_the_base_is_refused():
    with pytest.raises(ProviderError, match="outside of /v2"):
        following(NextLinkInBody(link="next"), page({"next": "https://api.example.com/v1/things"}))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        ("</p?2>; rel=next", {"next": "/p?2"}),
        ('</p?2>; rel="NEXT"', {"next": "/p?2"}),
        ('</p?2>;rel="next last";title="a, <b>", </p?1>;rel="prev"', {"next": "/p?2", "last": "/p?2", "prev": "/p?1"}),
        ("</p?a=1,2>; rel=next", {"next": "/p?a=1,2"}),
        ('</p?2>; anchor="/other"; rel=next', {}),
        ('</p?2>; rel=next; rel=prev, </p?3>; rel="next"', {"next": "/p?2"}),
        ("nonsense", {}),
    ],
)
def test_link_headers(header, found):
    assert links.link_header(header) == found


# Keyset


def test_keyset_checks_the_order_where_it_is_told_how():
    pages = Keyset(after_updated="since", after_id="id", key=lambda place: (place[1], int(place[0])))
    fine = [("1", "2024-05-01"), ("2", "2024-05-01"), ("10", "2024-05-01"), ("3", "2024-05-02"), ("4", "2024-05-02")]
    assert following(pages, page({}, last=fine[-1], places=lambda: fine)) is not None
    with pytest.raises(ProviderError, match="did not follow the requested order"):
        following(pages, page({}, last=fine[0], places=lambda: fine[::-1]))
    with pytest.raises(ProviderError, match="did not follow the requested order"):
        following(
            pages,
            page({}, last=fine[-1], places=lambda: fine),
            page({"n": 2}, last=fine[0], places=lambda: fine[:1] * 5),
        )


def test_keyset_needs_a_place():
    with pytest.raises(ProviderError, match="updated_field"):
        following(Keyset(after_id="id"), page({}))


def test_keyset_notices_that_a_page_of_one_stamp_cannot_be_left():
    tie = page({}, last=("1", "2024-05-01"))
    with pytest.raises(ProviderError, match="share one stamp"):
        following(Keyset(after_updated="since"), tie, tie)


def test_a_single_page_is_one_request():
    assert following(SinglePage(), page({})) is None


@pytest.mark.parametrize("module", [keyset, links, position, tokens])
def test_examples_run(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert found.failed == 0
