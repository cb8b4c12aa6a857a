"""Keeps an instance's configuration in two parts: the public values, and the secrets, which are encrypted.

A ciphertext is bound to its instance and its key, so that it cannot be decrypted in another row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..schemas import is_secret
from ..secrets import Secret
from ..store import instances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from ..model import Element
    from ..secrets import KeyRing
    from ..store.instances import InstanceRow


class Vault:
    def __init__(self, keyring: KeyRing) -> None:
        self.keyring = keyring

    def split(self, element: Element, raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Divide a configuration into its public values and its secrets, which are still in clear."""
        public = {key: value for key, value in raw.items() if not is_secret(element, key)}
        hidden = {key: _reveal(value) for key, value in raw.items() if is_secret(element, key) and value is not None}
        return public, hidden

    def close(self, connection: Connection, instance_id: int, hidden: Mapping[str, str]) -> None:
        """Encrypt and write these secrets; those of other keys stay."""
        instances.put_secrets(
            connection,
            instance_id,
            {key: self.keyring.encrypt(value, bound_to=f"{instance_id}:{key}") for key, value in hidden.items()},
        )

    def open(self, connection: Connection, row: InstanceRow) -> dict[str, Any]:
        """The whole configuration, with its secrets decrypted, as `Secret`s."""
        hidden = instances.secrets_of(connection, row.id)
        return dict(row.configuration) | {
            key: self.keyring.decrypt(value, bound_to=f"{row.id}:{key}") for key, value in hidden.items()
        }

    def names(self, connection: Connection, instance_id: int) -> list[str]:
        """The keys of an instance's secrets, without decrypting anything."""
        return sorted(instances.secrets_of(connection, instance_id))


def _reveal(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)
