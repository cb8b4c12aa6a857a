"""Opens the store: SQLite in WAL mode by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from .. import hints
from ..errors import StoreError
from . import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

# How long a writer waits for another one before it gives up, milliseconds.
BUSY_TIMEOUT = 60_000
_WAL_PAUSE = 20


class Database:
    """One store. `open` creates or migrates it; every database error leaves as a `StoreError`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)

    @classmethod
    def open(cls, url: str) -> Database:
        database = cls(url)
        _keep_private(database.engine)
        with database.read() as connection:
            revision = migrations.current(connection)
        if revision != migrations.HEAD:
            with database.write() as connection:
                # Another process may have made or migrated it while this one waited for the lock.
                revision = migrations.current(connection)
                if revision is None:
                    migrations.create(connection)
                elif revision != migrations.HEAD:
                    migrations.upgrade(connection)
        return database

    @classmethod
    def open_in(cls, home: Path, url: str) -> Database:
        """The same, for a store whose process keeps its files in `home`, which is made where it is missing."""
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                f"cannot create the folder: {error.strerror}", where=str(home), hint=hints.OTHER_HOME
            ) from error
        return cls.open(url)

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction that may write; it commits on the way out."""
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(connectory_write=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state and neither waits for a writer nor makes one wait."""
        with self._explained(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explain(str(error.orig), self.engine.url.render_as_string()) from error
        except sqlite3.Error as error:
            # From what `_begin_sqlite` says to the driver.
            raise _explain(str(error), self.engine.url.render_as_string()) from error


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], more: str = ""
) -> None:
    """Insert many rows as the driver takes them: building them as expressions costs as much as writing them."""
    mark = "?" if is_sqlite(connection) else "%s"
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))}) {more}"  # noqa: S608 - names from the callers' code
    connection.exec_driver_sql(statement, list(rows))


def _make_engine(url: str) -> Engine:
    try:
        engine = sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(f"this is no database URL: {error}", hint="e.g. sqlite:////var/lib/connectory.db") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _keep_private(engine: Engine) -> None:
    """Make a new SQLite file its owner's alone, as those beside it will be: customers' records go in."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:" or path.startswith("file:"):
        return
    # Where it cannot be made, SQLite says why.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own idea of when a transaction starts is switched off: `_begin_sqlite` says it.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
    _use_wal(connection)
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    # The busy timeout does not hold here: of two that turn a new file into WAL at once, one is refused at once.
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
    # A deferred transaction that turns into a writer late fails at once where another one wrote meanwhile.
    immediate = connection.get_execution_options().get("connectory_write", False)
    # Said to the driver: by way of SQLAlchemy it costs as much as a small query.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")


_EXPLANATIONS = (
    ("disk is full", "the disk is full", "free some space, then start again: nothing that was announced is lost"),
    ("readonly database", "the store cannot be written", f"check its permissions, or {hints.OTHER_HOME}"),
    ("unable to open database", "the store cannot be opened", f"check its permissions, or {hints.OTHER_HOME}"),
    ("not a database", "this file is no Connectory store", hints.OTHER_HOME),
    ("malformed", "the store is damaged", "restore it from a backup"),
    ("disk I/O error", "the disk failed, or is full", "check it, then start again"),
    ("database is locked", "another process has kept the store locked for too long", "end it, then try again"),
)


def _explain(text: str, url: str) -> StoreError:
    for symptom, message, hint in _EXPLANATIONS:
        if symptom in text:
            return StoreError(message, where=url, hint=hint)
    return StoreError(f"the database said: {text}", where=url)
