from __future__ import annotations

import doctest

import pytest

from connectory import ceql, translate
from connectory.errors import QueryError
from connectory.model import Query
from connectory.translate import Encoder, to_params

FIELDS = {
    "status": "state",
    "updated": {">=": "since", ">": "since", "<": "until"},
    "id": {"=": "ids", "IN": "ids"},
    "name": {"LIKE": "search"},
    "day": lambda day: (("from", day), ("to", day)),
}


def params(where: str, others="refuse", **query):
    return to_params(FIELDS, others=others)(Query(expression=ceql.parse(where), page_size=10, **query))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ()),
        ("status = 'open'", (("state", "open"),)),
        ("status = true and id = 3", (("state", "true"), ("ids", "3"))),
        (
            "updated >= '2024-05-01T00:00:00Z' AND updated < '2024-06-01'",
            (("since", "2024-05-01T00:00:00Z"), ("until", "2024-06-01")),
        ),
        ("id IN ('a', 'b', 3)", (("ids", "a,b,3"),)),
        ("name LIKE '%ann%'", (("search", "ann"),)),
        ("day = 2024-05-01", (("from", "2024-05-01"), ("to", "2024-05-01"))),
        ("status = 'it''s, ä & co'", (("state", "it's, ä & co"),)),
        ("updated >= '2024-05-01' and status = 'open", (("since", "2024-05-01"), ("state", "open"))),
    ],
)
def test_terms_become_parameters(where, expected):
    assert params(where) == expected


def test_the_urls_own_parameters_come_first():
    assert params("status = 'open'", params=(("expand", "all"),)) == (("expand", "all"), ("state", "open"))


def test_other_fields_pass_where_that_is_wanted():
    assert params("colour = 'red'", others="pass") == (("colour", "red"),)
    with pytest.raises(QueryError, match="> is not supported for colour"):
        params("colour > 'red'", others="pass")


@pytest.mark.parametrize(
    ("where", "message", "at"),
    [
        ("colour = 'red'", "colour is not a field that can be searched", "colour"),
        ("status != 'open'", "!= is not supported for status", "status"),
        ("id = 1 and (status = 'a' or status = 'b')", "only be joined by AND", "status"),
        ("status = 'a' or id = 1", "only be joined by AND", "status"),
        (
            "updated >= 'x' and updated > 'y'",
            "the provider takes one condition on updated, and this asks for it twice",
            "updated > 'y'",
        ),
        ("id NOT IN (1)", "NOT IN is not supported for id", "id"),
        ("name IS NULL", "IS NULL is not supported for name", "name"),
        ("name NOT LIKE 'a%'", "NOT LIKE is not supported for name", "name"),
    ],
)
def test_what_cannot_be_asked_is_pointed_at(where, message, at):
    with pytest.raises(QueryError, match=message) as caught:
        params(where)
    assert caught.value.text[caught.value.position :].startswith(at)


class Sql(Encoder):
    def comparison(self, atom, field, operator, value):
        if field == "secret":
            self.refuse(atom, "secret is not a field that can be searched")
        return f"{field}{operator}{value}"


class Numbered(Sql):
    def __init__(self, number):
        self.number = number

    def nullness(self, atom):
        return f"{atom.field} is {'not ' if atom.negated else ''}null{self.number}"

    def likeness(self, atom):
        return f"{atom.field}~{atom.pattern}"

    def joined(self, word, texts):
        return {"and": "&", "or": "|"}[word].join(texts)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ""),
        ("a = 1", "a=1"),
        ("a = 1 and b = 2", "a=1 and b=2"),
        ("a = 1 and (b = 2 or c = 3 and d = 4)", "a=1 and (b=2 or c=3 and d=4)"),
        ("a = 1 or b = 2 and c = 3", "a=1 or b=2 and c=3"),
        ("a in (1, 2) and b not in (3, 4)", "(a=1 or a=2) and b!=3 and b!=4"),
        ("a in (1, 2)", "a=1 or a=2"),
        ("a in (1) and b = 2", "a=1 and b=2"),
    ],
)
def test_expressions_as_text(where, expected):
    assert Sql().encode(ceql.parse(where)) == expected


def test_an_encoder_may_say_more_and_have_a_state_of_its_own():
    encoder = Numbered(7)
    assert (
        encoder.encode(ceql.parse("a is null and (b like 'x%' or c is not null)")) == "a is null7&(b~x%|c is not null7)"
    )
    assert encoder._whole is None


@pytest.mark.parametrize(
    ("where", "at"),
    [("a = 1 and secret = 2", "secret"), ("a = 1 and b like 'x%'", "b LIKE"), ("a = 1 or b is not null", "b IS NOT")],
)
def test_an_encoder_points_at_what_it_refuses(where, at):
    with pytest.raises(QueryError) as caught:
        Sql().encode(ceql.parse(where))
    assert caught.value.text[caught.value.position :].startswith(at)


def test_an_encoder_without_comparisons_says_so():
    with pytest.raises(NotImplementedError, match="does not say how it writes a comparison"):
        Encoder().encode(ceql.parse("a = 1"))


def test_examples_run():
    assert doctest.testmod(translate).failed == 0
