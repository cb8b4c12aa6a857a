"""Which account of the provider a login belongs to: a new login for an instance must be of the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import AuthenticationError

if TYPE_CHECKING:
    from ...auth import Token
    from ...http import Client
    from ...model import Element


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A `TokenSource` of a token that is examined before it is stored."""

    token: Token

    def current(self) -> Token:
        return self.token

    def renew(self, rejected: str) -> Token:
        raise AuthenticationError("the provider refuses the new login", hint="log in again")


def account_of(element: Element, client: Client) -> str:
    """The account that is logged in; empty when the provider does not say."""
    return "" if element.account is None else element.account(client).strip()


def check_same(instance_id: int, *, known: str | None, given: str) -> None:
    """Refuse a login of another account: its records would be announced as new."""
    if known and given != known:
        raise AuthenticationError(
            f"instance {instance_id} is logged in as {known}, but the new login is for {given or 'an unknown account'}",
            hint=f"log in as {known}, or create another instance; the old login was kept",
        )
