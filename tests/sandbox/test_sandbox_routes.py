from __future__ import annotations

import doctest

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from connectory.sandbox import routes
from connectory.sandbox.routes import Routes


@pytest.fixture
def orders():
    known = Routes()
    known.add("/orders", "list", ("GET",))
    known.add("/orders", "create", ("POST",))
    known.add("/orders/<order_id>", "read", ("GET",))
    known.add("/orders/<order_id>", "change", ("PUT", "PATCH"))
    known.add("/orders/<order_id>/lines/<line>", "line", ("GET",))
    known.add("/orders/lead", "lead", ("GET",))
    return known


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/orders", ("list", {})),
        ("GET", "/orders/", ("list", {})),
        ("POST", "/orders", ("create", {})),
        ("HEAD", "/orders", ("list", {})),
        ("GET", "/orders/7", ("read", {"order_id": "7"})),
        ("PATCH", "/orders/7", ("change", {"order_id": "7"})),
        ("GET", "/orders/lead", ("lead", {})),
        ("PUT", "/orders/lead", ("change", {"order_id": "lead"})),
        ("GET", "/orders/7/lines/2", ("line", {"order_id": "7", "line": "2"})),
        ("GET", "/orders/a.b c", ("read", {"order_id": "a.b c"})),
    ],
)
def test_a_path_has_a_handler(orders, method, path, found):
    assert orders.match(path, method) == found


@pytest.mark.parametrize("path", ["/", "/order", "/orders/7/lines", "/orders/7/lines/2/3", "//orders"])
def test_what_is_not_there_is_not_found(orders, path):
    with pytest.raises(NotFound):
        orders.match(path, "GET")


def test_a_method_that_there_is_not(orders):
    with pytest.raises(MethodNotAllowed) as refused:
        orders.match("/orders/7", "DELETE")
    assert refused.value.valid_methods == ["GET", "PATCH", "PUT"]


def test_dots_of_a_path_are_dots():
    known = Routes()
    known.add("/v3.1/<name>", "read", ("GET",))
    with pytest.raises(NotFound):
        known.match("/v3x1/orders", "GET")


def test_the_last_one_counts(orders):
    orders.add("/orders", "another", ("GET",))
    assert orders.match("/orders", "GET") == ("another", {})


def test_its_example_runs():
    assert doctest.testmod(routes).failed == 0
