"""Queries of `secrets`: ciphertexts by instance and configuration key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from .tables import secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


def put(connection: Connection, instance_id: int, values: Mapping[str, str]) -> None:
    rows = [{"instance_id": instance_id, "name": name, "value": value} for name, value in values.items()]
    if rows:
        connection.execute(_PUT, rows)


_PUT = text(
    "INSERT INTO secrets (instance_id, name, value) VALUES (:instance_id, :name, :value)"
    " ON CONFLICT (instance_id, name) DO UPDATE SET value = excluded.value"
)


def of(connection: Connection, instance_id: int) -> dict[str, str]:
    query = select(secrets.c.name, secrets.c.value).where(secrets.c.instance_id == instance_id)
    return {row.name: row.value for row in connection.execute(query)}
