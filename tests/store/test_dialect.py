"""What differs by database, as it is said to each of them; SQLite's answers are in the tests of the queries."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

import connectory.store
from connectory.store import dialect
from connectory.store.tables import lanes


class Said:
    """A connection that writes down what it would send."""

    def __init__(self, name):
        self.dialect = {"sqlite": sqlite, "postgresql": postgresql}[name].dialect()
        self.sent = []

    def exec_driver_sql(self, statement, parameters):
        self.sent.append((statement, parameters))
        return []


def written(expression, connection):
    return str(select(expression).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(("name", "least", "most"), [("sqlite", "min", "max"), ("postgresql", "least", "greatest")])
def test_the_earlier_and_the_later_of_two(name, least, most):
    connection = Said(name)
    assert f"{least}(lanes.due_at, 7)" in written(dialect.earlier(connection, lanes.c.due_at, 7), connection)
    assert f"{most}(lanes.due_at, 7)" in written(dialect.later(connection, lanes.c.due_at, 7), connection)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("sqlite", ("SELECT a FROM t WHERE b = ? AND c IN (SELECT value FROM json_each(?))", (1, '["x", "y"]'))),
        ("postgresql", ("SELECT a FROM t WHERE b = %s AND c = ANY(%s)", (1, ["x", "y"]))),
    ],
)
def test_any_number_of_ids_is_one_parameter(name, sent):
    connection = Said(name)
    dialect.select_among(connection, "SELECT a FROM t WHERE b = ? AND c AMONG ?", (1,), ["x", "y"])
    assert connection.sent == [sent]


@pytest.mark.parametrize(("name", "mark"), [("sqlite", "?"), ("postgresql", "%s")])
def test_rows_go_to_the_driver_with_its_own_marks(name, mark):
    connection = Said(name)
    dialect.insert_rows(connection, "t", ("a", "b"), [(1, 2), (3, 4)], "ON CONFLICT DO NOTHING")
    assert connection.sent == [
        (f"INSERT INTO t (a, b) VALUES ({mark}, {mark}) ON CONFLICT DO NOTHING", [(1, 2), (3, 4)])
    ]


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("sqlite", "SELECT g, MAX(r), c FROM t WHERE x = ? GROUP BY g"),
        ("postgresql", "SELECT DISTINCT ON (g) g, r, c FROM t WHERE x = ? ORDER BY g, r DESC"),
    ],
)
def test_the_newest_of_each_group(name, statement):
    found = dialect.newest_of_each(Said(name), table="t", group="g", rank="r", column="c", where="x = ?")
    assert found == statement


def test_no_other_file_of_the_store_asks_which_database_it_talks_to():
    folder = Path(connectory.store.__path__[0])
    for path in folder.glob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        asks = names & {"dialect", "exec_driver_sql"}
        assert not asks or path.name == "dialect.py", path.name
