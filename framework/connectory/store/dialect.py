"""What differs between SQLite and PostgreSQL: the only file of the store that asks which of them it is talking to.

Statements of the hot path are written once, with `?` for a parameter and `AMONG ?` for a list of ids, and go to the
driver as text: building them as SQLAlchemy expressions costs as much as running them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, func

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Engine

BUSY_TIMEOUT = 60_000
"""How many milliseconds a SQLite writer waits for another writer before it gives up."""

_WAL_PAUSE = 20


# Expressions


def earlier(connection: Connection, one: Any, other: Any) -> ColumnElement[Any]:
    """The smaller of two values of a row; one of them may be a plain value."""
    return func.min(one, other) if _is_sqlite(connection) else func.least(one, other)


def later(connection: Connection, one: Any, other: Any) -> ColumnElement[Any]:
    """The larger of two values of a row; one of them may be a plain value."""
    return func.max(one, other) if _is_sqlite(connection) else func.greatest(one, other)


# Statements for the driver


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], more: str = ""
) -> None:
    """Insert many rows. `more` is what follows the values, such as `ON CONFLICT DO NOTHING`."""
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {more}"  # noqa: S608 - names from the callers' code
    run_many(connection, statement, rows)


def run_many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run one statement for each row of parameters."""
    connection.exec_driver_sql(_written(statement, _is_sqlite(connection)), list(rows))


def select_among(
    connection: Connection, statement: str, parameters: tuple[Any, ...], ids: Collection[str]
) -> Iterable[Any]:
    """Run a SELECT whose last condition is `... AMONG ?`.

    The ids are one parameter, however many there are. With an expanding IN, this query would cost more than all other
    work on a page in which nothing has changed.
    """
    is_sqlite = _is_sqlite(connection)
    given = json.dumps(list(ids)) if is_sqlite else list(ids)
    return connection.exec_driver_sql(_written(statement, is_sqlite), (*parameters, given))


def newest_of_each(connection: Connection, *, table: str, group: str, rank: str, column: str, where: str) -> str:
    """A SELECT of `group`, the highest `rank` in it, and `column` of the row that has that rank."""
    if _is_sqlite(connection):
        # SQLite takes a bare column from the row that holds the maximum.
        return f"SELECT {group}, MAX({rank}), {column} FROM {table} WHERE {where} GROUP BY {group}"  # noqa: S608
    return (
        f"SELECT DISTINCT ON ({group}) {group}, {rank}, {column} FROM {table}"  # noqa: S608 - names from the callers' code
        f" WHERE {where} ORDER BY {group}, {rank} DESC"
    )


@functools.cache
def _written(statement: str, is_sqlite: bool) -> str:
    if is_sqlite:
        return statement.replace("AMONG ?", "IN (SELECT value FROM json_each(?))")
    return statement.replace("AMONG ?", "= ANY(?)").replace("?", "%s")


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


# Opening


def prepare(engine: Engine) -> None:
    """Set up what each new connection needs."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def keep_private(engine: Engine) -> None:
    """Create the file of a new SQLite store so that only this user can read it: it will hold customers' records."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return
    # When the file cannot be created, opening it fails a moment later, and SQLite says why.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    # SQLite ignores the busy timeout here: when two processes turn a new file into WAL, it refuses one at once.
    for _ in range(BUSY_TIMEOUT // _WAL_PAUSE):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            threading.Event().wait(_WAL_PAUSE / 1000)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another process has written in between, so a
    # writing transaction takes the lock when it begins.
    immediate = connection.get_execution_options().get("connectory_write", False)
    # This goes to the driver directly, because through SQLAlchemy it costs as much as a small query.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")
