"""Ends the tokens of a deleted instance at the provider, which would otherwise honour them until they run out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import ConnectoryError
from ...model import resolve_endpoint
from ...schemas import load_configuration
from ...store import instances

if TYPE_CHECKING:
    from ...auth import Token
    from ...store.instances import InstanceRow
    from ..parts import Parts
    from .tokenendpoint import TokenEndpoint

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """What is needed to end an instance's tokens when nothing of the instance is stored any more."""

    instance_id: int
    endpoint: TokenEndpoint
    token: Token

    def run(self) -> None:
        """Ask the provider once. A failure is logged: the instance is gone, and nobody could try again."""
        try:
            self.endpoint.revoke(self.token)
        except ConnectoryError as error:
            log.warning("the tokens of deleted instance %s could not be revoked: %s", self.instance_id, error)


def prepare(parts: Parts, row: InstanceRow) -> Revocation | None:
    """How to end an instance's tokens; None when there is nothing to end, or when the tokens may have other users.

    Other users are instances with the same login, and whoever else holds the refresh token that an instance with
    `externalAuthentication` `initial` started from.
    """
    try:
        token = parts.tokens.load(row.id)
        if token is None or row.external_authentication == "initial":
            return None
        endpoint = _endpoint(parts, row)
        if endpoint is None or _is_shared(parts, row, token, endpoint):
            return None
    except ConnectoryError as error:
        log.warning("the tokens of instance %s will not be revoked: %s", row.id, error)
        return None
    return Revocation(instance_id=row.id, endpoint=endpoint, token=token)


def _endpoint(parts: Parts, row: InstanceRow) -> TokenEndpoint | None:
    element = parts.plugins.element(row.element_key)
    if element.oauth is None or element.oauth.revoke_url is None:
        return None
    with parts.database.read() as connection:
        config = load_configuration(element, parts.vault.open(connection, row))
    return parts.runtimes.flow(element, config).endpoint


def _is_shared(parts: Parts, row: InstanceRow, token: Token, endpoint: TokenEndpoint) -> bool:
    """Whether another instance is logged in as the same account, or holds the same tokens.

    Providers may give both instances the same pair, or end all tokens of an account with one of them.
    """
    with parts.database.read() as connection:
        others = [other for other in instances.find(connection, element_key=row.element_key) if other.id != row.id]
    alike = [other for other in others if _is_same_login(token, parts.tokens.load(other.id))]
    return any(_revokes_at(_endpoint(parts, other)) == _revokes_at(endpoint) for other in alike)


def _is_same_login(one: Token, other: Token | None) -> bool:
    if other is None:
        return False
    same_account = one.account is not None and one.account == other.account
    return same_account or one.access_token == other.access_token


def _revokes_at(endpoint: TokenEndpoint | None) -> str:
    if endpoint is None or endpoint.oauth.revoke_url is None:
        return ""
    return resolve_endpoint(endpoint.oauth.revoke_url, endpoint.config)
