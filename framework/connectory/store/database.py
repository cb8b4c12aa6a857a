"""Opens the store: SQLite in WAL mode by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from .. import hints
from ..errors import StoreError
from . import dialect, migrations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine


class Database:
    """One store. `open` creates or migrates it. Every database error is raised as a `StoreError`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)

    @classmethod
    def open(cls, url: str) -> Database:
        database = cls(url)
        dialect.keep_private(database.engine)
        with database.read() as connection:
            revision = migrations.current(connection)
        if revision != migrations.HEAD:
            with database.write() as connection:
                # Another process may have created or migrated the store while this one waited for the lock.
                revision = migrations.current(connection)
                if revision is None:
                    migrations.create(connection)
                elif revision != migrations.HEAD:
                    migrations.upgrade(connection)
        return database

    @classmethod
    def open_in(cls, home: Path, url: str) -> Database:
        """Open the store of a process that keeps its files in `home`; the folder is created if it is missing."""
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                f"cannot create the folder: {error.strerror}", where=str(home), hint=hints.OTHER_HOME
            ) from error
        return cls.open(url)

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction that may write, and that commits at the end of the block."""
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(connectory_write=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state; readers and writers do not wait for each other."""
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
            # `BEGIN` goes to the driver directly, so SQLAlchemy does not wrap its errors.
            raise _explain(str(error), self.engine.url.render_as_string()) from error


def _make_engine(url: str) -> Engine:
    try:
        engine = sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"this is not a valid database URL: {error}", hint="e.g. sqlite:////var/lib/connectory.db"
        ) from error
    dialect.prepare(engine)
    return engine


_EXPLANATIONS = (
    ("disk is full", "the disk is full", "free some space, then start again: nothing that was announced is lost"),
    ("readonly database", "the store cannot be written", f"check its permissions, or {hints.OTHER_HOME}"),
    ("unable to open database", "the store cannot be opened", f"check its permissions, or {hints.OTHER_HOME}"),
    ("not a database", "this file is not a Connectory store", hints.OTHER_HOME),
    ("malformed", "the store is damaged", "restore it from a backup"),
    ("disk I/O error", "the disk failed, or is full", "check it, then start again"),
    ("database is locked", "another process has kept the store locked for too long", "end it, then try again"),
)


def _explain(text: str, url: str) -> StoreError:
    for symptom, message, hint in _EXPLANATIONS:
        if symptom in text:
            return StoreError(message, where=url, hint=hint)
    return StoreError(f"the database said: {text}", where=url)
