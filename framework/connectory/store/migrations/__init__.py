"""Brings a store to the tables of this version, with alembic.

`HEAD` is repeated here so that opening an up-to-date store need not import alembic, which costs more than a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ...errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0003"


def current(connection: Connection) -> str | None:
    """The revision of a store, or None for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def create(connection: Connection) -> None:
    """Make the tables of a new store as they are now; a test sees that the migrations lead to the same ones."""
    from ..tables import metadata

    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def upgrade(connection: Connection) -> None:
    """Run what is missing, in the connection's transaction: all of it or nothing."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", __path__[0])
    config.attributes["connection"] = connection
    revision = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the store was written by a newer version of Connectory (its revision {revision}, ours {HEAD})",
            hint="upgrade Connectory, or name another folder with --home",
        )
    command.upgrade(config, "head")
