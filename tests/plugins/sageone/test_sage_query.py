from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectory import ceql
from connectory.errors import ConfigurationError, QueryError
from connectory.model import Query, Resource, Window
from connectory_sageone import query as sage
from connectory_sageone.resources import list_resources

RESOURCES = {resource.name: resource for resource in list_resources({})}
NOON = datetime(2024, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC)
WINDOW = Window(start=NOON, end=NOON + timedelta(minutes=1))
STAMPS = "created_at,updated_at"


def translated(where: str = "", *, resource: str = "customers", window=None, params=()) -> dict[str, str]:
    asked = Query(expression=ceql.parse(where), params=tuple(params), page_size=200, window=window)
    found = sage.translate(RESOURCES[resource], asked)
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", {}),
        ("search='x'", {"search": "x"}),
        ("search ='it''s, ä & co'", {"search": "it's, ä & co"}),
        ("attributes='a,b'", {"attributes": "a,b"}),
        ("attributes='a,b", {"attributes": "a,b"}),
        (
            "transaction_type_id='VENDOR_PAYMENT' AND active = true",
            {"transaction_type_id": "VENDOR_PAYMENT", "active": "true"},
        ),
        ("visible_in='banking' and show_legacy_id='true'", {"visible_in": "banking", "show_legacy_id": "true"}),
        ("lastModifiedDate>='2017-05-05'", {"updated_or_created_since": "2017-05-05"}),
        ("lastModifiedDate >= '2017-05-05T10:00:00Z'", {"updated_or_created_since": "2017-05-05T10:00:00Z"}),
        ("lastModifiedDate > '2017-05-05T10:00:00Z'", {"updated_or_created_since": "2017-05-05T10:00:00Z"}),
        ("lastModifiedDate>='2017-05-05T10:00:00+02:00'", {"updated_or_created_since": "2017-05-05T08:00:00Z"}),
        ("lastModifiedDate>='2017-05-05T10:00:00+0200'", {"updated_or_created_since": "2017-05-05T08:00:00Z"}),
        ("lastModifiedDate>='2017-05-05 10:00'", {"updated_or_created_since": "2017-05-05T10:00:00Z"}),
        ("lastModifiedDate>='2017-05-05T10:00:00.999Z'", {"updated_or_created_since": "2017-05-05T10:00:00Z"}),
        ("lastModifiedDate>=2017-05-05T10:00:00Z", {"updated_or_created_since": "2017-05-05T10:00:00Z"}),
        ("updated_or_created_since='2017-05-05T10:00:00+02:00'", {"updated_or_created_since": "2017-05-05T08:00:00Z"}),
        ("from_date='2017-01-01' AND to_date='2017-02-01'", {"from_date": "2017-01-01", "to_date": "2017-02-01"}),
        (
            "lastModifiedDate>='2024-05-01T11:59:59Z' and attributes='created_at,updated_at",
            {"updated_or_created_since": "2024-05-01T11:59:59Z", "attributes": STAMPS},
        ),
    ],
)
def test_terms_are_parameters(where, expected):
    assert translated(where) == expected


def test_parameters_beside_the_where_are_handed_on():
    assert translated("search='x'", params=[("show_legacy_id", "true"), ("brand_new", "1")]) == {
        "show_legacy_id": "true",
        "brand_new": "1",
        "search": "x",
    }


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("lastModifiedDate < '2024-05-01'", "does not support lastModifiedDate <"),
        ("lastModifiedDate <= '2024-05-01'", "does not support lastModifiedDate <="),
        ("lastModifiedDate = '2024-05-01'", "does not support lastModifiedDate ="),
        ("lastModifiedDate != '2024-05-01'", "does not support lastModifiedDate !="),
        ("lastModifiedDate like '2024%'", "LIKE is not supported for lastModifiedDate"),
        ("lastModifiedDate in ('2024-05-01')", "IN is not supported for lastModifiedDate"),
        ("lastModifiedDate is null", "IS NULL is not supported for lastModifiedDate"),
        ("lastModifiedDate >= 'yesterday'", "'yesterday' is not a date"),
        ("lastModifiedDate >= '2024-02-30'", "is not a date"),
        ("lastModifiedDate >= '2024-05-01T25:00:00Z'", "is not a date"),
        (
            "lastModifiedDate >= '2024-05-01' and lastModifiedDate > '2024-05-02'",
            "takes one condition on lastModifiedDate, and this asks for it twice",
        ),
        ("lastModifiedDate >= '2024-05-01' or search = 'x'", "only be joined by AND"),
        ("search > 'x'", "> is not supported for search"),
        ("name = 'x'", "name is not a field that can be searched"),
    ],
)
def test_what_sage_cannot_do_is_pointed_at(where, message):
    with pytest.raises(QueryError, match=message) as caught:
        translated(where)
    assert caught.value.hint or "twice" in message or "joined" in message


@pytest.mark.parametrize(
    ("where", "params"),
    [
        ("attributes='all'", [("attributes", "name")]),
        ("lastModifiedDate>='2024-05-01'", [("updated_or_created_since", "2024-05-01")]),
    ],
)
def test_nothing_is_said_twice(where, params):
    with pytest.raises(ConfigurationError, match="is given twice"):
        translated(where, params=params)


# Polls


@pytest.mark.parametrize(
    ("where", "attributes"),
    [
        ("", STAMPS),
        ("attributes='created_at,updated_at'", STAMPS),
        ("attributes='updated_at'", "updated_at,created_at"),
        ("attributes='name,reference'", "name,reference,created_at,updated_at"),
        ("attributes=' name , name'", "name,created_at,updated_at"),
        ("attributes='all'", "all"),
        ("attributes='name,all'", "all"),
    ],
)
def test_a_poll_asks_for_the_stamps_that_it_needs(where, attributes):
    assert translated(where, window=WINDOW)["attributes"] == attributes


def test_a_poll_asks_for_its_window_where_the_url_does_not():
    assert translated(window=WINDOW)["updated_or_created_since"] == "2024-05-01T12:00:00Z"
    assert translated("lastModifiedDate>='2020-01-01'", window=WINDOW)["updated_or_created_since"] == "2020-01-01"


def test_a_feed_of_deletions_is_left_as_it_is():
    feed = [("deleted_since", "2024-05-01T00:00:00Z"), ("attributes", "deleted_at")]
    assert translated(window=WINDOW, params=feed) == dict(feed)


def test_lists_that_can_be_sorted_are_sorted_by_what_does_not_change():
    assert translated(resource="invoices", window=WINDOW)["sort"] == "created_at:asc"
    assert translated("sort='date:desc'", resource="invoices", window=WINDOW)["sort"] == "date:desc"
    assert "sort" not in translated(resource="customers", window=WINDOW)


@pytest.mark.parametrize("name", ["currencies", "companies", "me"])
def test_lists_without_stamps_are_asked_for_as_they_are(name):
    assert translated(resource=name, window=WINDOW) == {}


def test_resources_of_other_plugins_are_left_alone():
    asked = Query(params=(("a", "1"),), page_size=5, window=WINDOW)
    assert sage.translate(Resource(name="x", path="/x"), asked) == (("a", "1"),)
