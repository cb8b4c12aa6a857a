"""Encryption at rest: the keys, and what they encrypt and decrypt."""

from __future__ import annotations

import base64
import os
import re
import secrets as random
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, StoreError
from .keyfile import KEY_BYTES, KEYS_FILE, KEYS_VARIABLE, read_or_make
from .secret import Secret, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_VERSION = "v1"
_NONCE_BYTES = 12


class KeyRing:
    """AES-256-GCM with named keys. The first key encrypts and every key decrypts, so that keys can be replaced.

    A ciphertext reads `v1.<key id>.<nonce>.<ciphertext>`, and decrypts only in the row that it was made for.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError("there is no encryption key", where=KEYS_VARIABLE)
        for key_id, key in keys.items():
            if len(key) != KEY_BYTES:
                raise ConfigurationError(
                    f"the key {key_id!r} has {len(key)} bytes instead of {KEY_BYTES}", where=KEYS_VARIABLE
                )
        self._keys = dict(keys)
        self._current = next(iter(keys))

    @classmethod
    def load(cls, home: Path, environ: Mapping[str, str] = os.environ) -> KeyRing:
        """The keys of `CONNECTORY_KEYS` (`id:base64,id:base64`) or else of `<home>/keys`, made at the first use."""
        text = environ.get(KEYS_VARIABLE)
        where = KEYS_VARIABLE
        if text is None:
            path = home / KEYS_FILE
            text, where = read_or_make(path), str(path)
        return cls(_parse_keys(text, where))

    def encrypt(self, plain: str, *, bound_to: str) -> str:
        nonce = random.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(self._current).encrypt(nonce, encoded(plain), encoded(bound_to))
        return ".".join((_VERSION, self._current, _to_text(nonce), _to_text(sealed)))

    def decrypt(self, value: str, *, bound_to: str) -> Secret:
        """The plain text; `StoreError` if the key is missing, or if the value was changed or moved to another row."""
        from cryptography.exceptions import InvalidTag

        key_id, nonce, sealed = _parts_of(value, bound_to)
        if key_id not in self._keys:
            raise StoreError(
                f"the encryption key {key_id!r} of this value is missing",
                where=bound_to,
                hint=f"add it to {KEYS_VARIABLE}",
            )
        try:
            plain = self._cipher(key_id).decrypt(_to_bytes(nonce), _to_bytes(sealed), encoded(bound_to))
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                "an encrypted value cannot be decrypted: the key is wrong, or the value was changed or moved",
                where=bound_to,
                hint=f"check {KEYS_VARIABLE}, or restore the keys that belong to this store",
            ) from error
        return Secret(plain.decode("utf-8", "surrogatepass"))

    def _cipher(self, key_id: str) -> Any:
        # Imported here, because it takes 20 ms, and most commands need no secrets.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._keys[key_id])


def _parts_of(value: str, bound_to: str) -> tuple[str, str, str]:
    version, *parts = value.split(".")
    if version != _VERSION or len(parts) != 3:
        raise StoreError("an encrypted value is damaged", where=bound_to, hint="restore it from a backup")
    return parts[0], parts[1], parts[2]


def _parse_keys(text: str, where: str) -> dict[str, bytes]:
    keys = {}
    for entry in re.split(r"[,\n]", text):
        if not entry.strip():
            continue
        key_id, colon, value = entry.strip().partition(":")
        try:
            keys[key_id] = base64.b64decode(value, validate=True)
        except ValueError:
            colon = ""
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]+", key_id):
            raise ConfigurationError("expected `id:base64` entries of 32 bytes each", where=where)
    return keys


def _to_text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
