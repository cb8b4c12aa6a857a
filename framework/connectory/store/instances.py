"""Queries of `instances` and `secrets`: what is stored of an instance, and its secret configuration as ciphertexts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, text, update

from .tables import instances, secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

ACTIVE = "active"
PAUSED = "paused"
NEEDS_REAUTH = "needs_reauth"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceRow:
    """A stored instance. `configuration` does not contain its secrets; moments are microseconds."""

    id: int
    element_key: str
    name: str
    tags: Sequence[str]
    configuration: Mapping[str, Any]
    state: str
    state_reason: str | None
    external_authentication: str
    version: int
    clock_offset: int
    created_at: int
    updated_at: int


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    statement = insert(instances).values(version=1, **values).returning(instances.c.id)
    return int(connection.execute(statement).scalar_one())


def get(connection: Connection, instance_id: int) -> InstanceRow | None:
    row = connection.execute(select(instances).where(instances.c.id == instance_id)).first()
    return None if row is None else _row(row)


def find(connection: Connection, *, element_key: str | None = None, name: str | None = None) -> list[InstanceRow]:
    query = select(instances).order_by(instances.c.id)
    if element_key is not None:
        query = query.where(instances.c.element_key == element_key)
    if name is not None:
        query = query.where(instances.c.name == name)
    return [_row(row) for row in connection.execute(query)]


def change(
    connection: Connection, instance_id: int, now: int, values: Mapping[str, Any], *, version: int | None = None
) -> bool:
    """Write new values. False when the instance does not exist, or has changed since `version`."""
    statement = update(instances).where(instances.c.id == instance_id)
    if version is not None:
        statement = statement.where(instances.c.version == version)
    values = {"version": instances.c.version + 1, "updated_at": now, **values}
    return connection.execute(statement.values(values)).rowcount == 1


def lose_login(connection: Connection, instance_id: int, version: int | None, now: int, reason: str) -> bool:
    """Let an active instance wait for a new login. False when it is not active, or has changed since `version`."""
    statement = update(instances).where(instances.c.id == instance_id, instances.c.state == ACTIVE)
    if version is not None:
        statement = statement.where(instances.c.version == version)
    values = {"state": NEEDS_REAUTH, "state_reason": reason, "updated_at": now}
    return connection.execute(statement.values(version=instances.c.version + 1, **values)).rowcount == 1


def set_clock_offset(connection: Connection, instance_id: int, offset: int) -> None:
    connection.execute(update(instances).where(instances.c.id == instance_id).values(clock_offset=offset))


def remove(connection: Connection, instance_id: int) -> bool:
    return connection.execute(delete(instances).where(instances.c.id == instance_id)).rowcount == 1


def version_of(connection: Connection, instance_id: int) -> int | None:
    """The version, or None when the instance does not exist. Often asked, so the statement is built once."""
    version: int | None = connection.execute(_VERSION, {"of_instance": instance_id}).scalar()
    return version


_VERSION = select(instances.c.version).where(instances.c.id == bindparam("of_instance"))


def _row(row: Row[Any]) -> InstanceRow:
    return InstanceRow(**row._mapping)


# Secrets


def put_secrets(connection: Connection, instance_id: int, values: Mapping[str, str]) -> None:
    """Write ciphertexts by configuration key; those of other keys stay."""
    rows = [{"instance_id": instance_id, "name": name, "value": value} for name, value in values.items()]
    if rows:
        connection.execute(_PUT_SECRET, rows)


_PUT_SECRET = text(
    "INSERT INTO secrets (instance_id, name, value) VALUES (:instance_id, :name, :value)"
    " ON CONFLICT (instance_id, name) DO UPDATE SET value = excluded.value"
)


def secrets_of(connection: Connection, instance_id: int) -> dict[str, str]:
    query = select(secrets.c.name, secrets.c.value).where(secrets.c.instance_id == instance_id)
    return {row.name: row.value for row in connection.execute(query)}
