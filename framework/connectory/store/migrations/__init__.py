"""Brings a store to the tables of this version, with alembic.

`HEAD` repeats the newest revision, so that opening an up-to-date store need not import alembic, which takes longer than
most commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ... import hints
from ...errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "first"

_BEFORE_THE_FIRST_RELEASE = {"0001", "0002", "0003"}


def current(connection: Connection) -> str | None:
    """The revision of a store, or None for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def create(connection: Connection) -> None:
    """Create the tables of a new store without migrating. A test checks that the migrations lead to the same tables."""
    from ..tables import metadata

    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in the connection's transaction: all of them or none."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", __path__[0])
    config.attributes["connection"] = connection
    revision = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise _unknown(revision)
    command.upgrade(config, "head")


def _unknown(revision: str) -> StoreError:
    if revision in _BEFORE_THE_FIRST_RELEASE:
        return StoreError(
            f"the store was written by a version of Connectory from before the first release (its revision {revision}),"
            " which this version cannot read",
            hint=hints.START_ANEW,
        )
    return StoreError(
        f"the store was written by a newer version of Connectory (its revision {revision}, ours {HEAD})",
        hint=f"{hints.UPGRADE}, or {hints.OTHER_HOME}",
    )
