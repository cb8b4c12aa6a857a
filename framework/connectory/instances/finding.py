"""Finds stored instances: by id, by name, by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import hints
from ..errors import ConfigurationError, NotFoundError
from ..store import instances

if TYPE_CHECKING:
    from ..store.database import Database
    from ..store.instances import InstanceRow

# The largest whole number that every database can store.
_MOST_ID = 2**63 - 1


def get(database: Database, instance_id: int) -> InstanceRow:
    """One instance; `NotFoundError` when there is none with this id."""
    with database.read() as connection:
        row = instances.get(connection, instance_id)
    if row is None:
        raise no_instance(instance_id)
    return row


def no_instance(reference: int | str) -> NotFoundError:
    return NotFoundError(f"there is no instance {reference!r}", hint=hints.LIST_INSTANCES)


def find(database: Database, *, element_key: str | None = None, name: str | None = None) -> list[InstanceRow]:
    with database.read() as connection:
        return instances.find(connection, element_key=element_key, name=name)


def resolve(database: Database, reference: int | str) -> InstanceRow:
    """An instance by its id, or by its name when no other instance has the same one."""
    if isinstance(reference, int):
        return get(database, reference)
    if reference.isdecimal() and int(reference) <= _MOST_ID:
        return get(database, int(reference))
    named = find(database, name=reference)
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(str(row.id) for row in named)
        raise ConfigurationError(f"several instances are called {reference!r}: {ids}", hint="name one by its id")
    raise no_instance(reference)


def exists(database: Database, instance_id: int) -> bool:
    with database.read() as connection:
        return instances.get(connection, instance_id) is not None
