"""Queries of `credentials`: the tokens of each instance that uses some, their version, and the lease for renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, select, text, update

from .instances import NEEDS_REAUTH
from .tables import credentials, instances

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Row


def get(connection: Connection, instance_id: int) -> Row[Any] | None:
    return connection.execute(select(credentials).where(credentials.c.instance_id == instance_id)).first()


def put(connection: Connection, instance_id: int, values: Mapping[str, Any], *, account: str | None = None) -> int:
    """Write a new login over the one before, if any, and return its version. `account` is whose login it is."""
    parameters = {"instance_id": instance_id, "account": account, **values}
    version: int = connection.execute(_PUT, parameters).scalar_one()
    return version


_PUT = text(
    "INSERT INTO credentials (instance_id, version, access_token, refresh_token, token_type, scope, expires_at, extra,"
    " account, renewed_at) VALUES (:instance_id, 1, :access_token, :refresh_token, :token_type, :scope, :expires_at,"
    " :extra, :account, :renewed_at) ON CONFLICT (instance_id) DO UPDATE SET version = credentials.version + 1,"
    " access_token = excluded.access_token, refresh_token = excluded.refresh_token, token_type = excluded.token_type,"
    " scope = excluded.scope, expires_at = excluded.expires_at, extra = excluded.extra,"
    " account = excluded.account, renewed_at = excluded.renewed_at, failed_at = NULL, failure = NULL,"
    " lease_owner = NULL, lease_until = NULL RETURNING version"
).bindparams(bindparam("extra", type_=credentials.c.extra.type))


def set_account(connection: Connection, instance_id: int, account: str) -> None:
    """Write down whose login it is; the tokens and their version do not change."""
    connection.execute(update(credentials).where(credentials.c.instance_id == instance_id).values(account=account))


def replace(connection: Connection, instance_id: int, version: int, values: Mapping[str, Any]) -> bool:
    """Write a renewed pair. Writes nothing and returns False if another process has written one after `version`."""
    statement = (
        update(credentials)
        .where(credentials.c.instance_id == instance_id, credentials.c.version == version)
        .values(version=version + 1, failed_at=None, failure=None, lease_owner=None, lease_until=None, **values)
    )
    return connection.execute(statement).rowcount == 1


def take_lease(
    connection: Connection, instance_id: int, *, version: int, owner: str, now: int, until: int
) -> int | None:
    """Take the lease and return its epoch; None when another process is renewing this version, or has renewed it."""
    statement = (
        update(credentials)
        .where(
            credentials.c.instance_id == instance_id,
            credentials.c.version == version,
            or_(credentials.c.lease_until.is_(None), credentials.c.lease_until < now),
        )
        .values(lease_owner=owner, lease_until=until, lease_epoch=credentials.c.lease_epoch + 1)
        .returning(credentials.c.lease_epoch)
    )
    epoch: int | None = connection.execute(statement).scalar()
    return epoch


def end_lease(connection: Connection, instance_id: int, epoch: int) -> None:
    """Give the lease up without storing a new pair."""
    connection.execute(
        update(credentials)
        .where(credentials.c.instance_id == instance_id, credentials.c.lease_epoch == epoch)
        .values(lease_owner=None, lease_until=None)
    )


def fail(connection: Connection, instance_id: int, *, version: int, epoch: int, failed_at: int, failure: str) -> bool:
    """Write down that the provider refused this version, and give the lease up. False when another process has it."""
    statement = (
        update(credentials)
        .where(
            credentials.c.instance_id == instance_id,
            credentials.c.version == version,
            credentials.c.lease_epoch == epoch,
        )
        .values(failed_at=failed_at, failure=failure, lease_owner=None, lease_until=None)
    )
    return connection.execute(statement).rowcount == 1


def free_leases(connection: Connection, owners: Collection[str]) -> None:
    connection.execute(
        update(credentials)
        .where(credentials.c.lease_owner.in_(list(owners)))
        .values(lease_owner=None, lease_until=None)
    )


def elements(connection: Connection) -> list[str]:
    """The keys of the elements whose instances have refresh tokens."""
    query = select(instances.c.element_key).where(instances.c.id.in_(_refreshable())).distinct()
    return [row.element_key for row in connection.execute(query)]


def longest_unused(connection: Connection, element_key: str, before: int, but: Collection[int]) -> int | None:
    """The instance whose login was renewed longest ago, and before `before`. Leaves out refused logins and `but`."""
    query = (
        select(credentials.c.instance_id)
        .join(instances, instances.c.id == credentials.c.instance_id)
        .where(
            instances.c.element_key == element_key,
            instances.c.state != NEEDS_REAUTH,
            credentials.c.refresh_token.is_not(None),
            credentials.c.renewed_at <= before,
            credentials.c.failed_at.is_(None),
            credentials.c.instance_id.not_in(list(but)),
        )
        .order_by(credentials.c.renewed_at)
        .limit(1)
    )
    instance_id: int | None = connection.execute(query).scalar()
    return instance_id


def _refreshable() -> Any:
    return select(credentials.c.instance_id).where(credentials.c.refresh_token.is_not(None))
