"""Secrets: a type that does not print, encryption at rest, and redaction of what is logged."""

from __future__ import annotations

import base64
import contextlib
import hmac
import logging
import os
import re
import secrets as random
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MASK = "********"
KEYS_VARIABLE = "CONNECTORY_KEYS"
KEYS_FILE = "keys"

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
# Shorter values would blank out ordinary words.
_LEAST_REDACTED = 6


class Secret:
    """Text that shows itself only through `reveal()`; it prints as asterisks and compares in constant time."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: it would be written in clear")


def reveal(value: Secret | str | None) -> str:
    """The text of a secret, or of a plain value that stands where one may stand; `""` for None."""
    return value.reveal() if isinstance(value, Secret) else value or ""


# Encryption at rest


class KeyRing:
    """AES-256-GCM with named keys: the first encrypts, all decrypt, so that keys can be changed one after another.

    A ciphertext reads `v1.<key id>.<nonce>.<ciphertext>` and is bound to the row it was made for.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError("there is no encryption key", where=KEYS_VARIABLE)
        for key_id, key in keys.items():
            if len(key) != _KEY_BYTES:
                raise ConfigurationError(
                    f"the key {key_id!r} has {len(key)} bytes, expected {_KEY_BYTES}", where=KEYS_VARIABLE
                )
        self._keys = dict(keys)
        self._current = next(iter(keys))

    @classmethod
    def load(cls, home: Path, environ: Mapping[str, str] = os.environ) -> KeyRing:
        """The keys of `CONNECTORY_KEYS` (`id:base64,id:base64`), else of `<home>/keys`, made at the first use."""
        text = environ.get(KEYS_VARIABLE)
        where = KEYS_VARIABLE
        if text is None:
            path = home / KEYS_FILE
            text, where = _read_or_make(path), str(path)
        return cls(_parse_keys(text, where))

    def encrypt(self, plain: str, *, bound_to: str) -> str:
        nonce = random.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(self._current).encrypt(nonce, plain.encode(), bound_to.encode())
        return ".".join((_VERSION, self._current, _to_text(nonce), _to_text(sealed)))

    def decrypt(self, value: str, *, bound_to: str) -> Secret:
        """The plain text; `StoreError` where the key is missing or the value was changed or moved."""
        from cryptography.exceptions import InvalidTag

        version, _, rest = value.partition(".")
        parts = rest.split(".")
        if version != _VERSION or len(parts) != 3:
            raise StoreError("an encrypted value is damaged", where=bound_to, hint="restore it from a backup")
        key_id, nonce, sealed = parts
        if key_id not in self._keys:
            raise StoreError(
                f"the key {key_id!r} that encrypted it is missing", where=bound_to, hint=f"add it to {KEYS_VARIABLE}"
            )
        try:
            plain = self._cipher(key_id).decrypt(_to_bytes(nonce), _to_bytes(sealed), bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                "an encrypted value cannot be decrypted: wrong key, or it was changed or moved",
                where=bound_to,
                hint=f"check {KEYS_VARIABLE}, or restore the keys that belong to this store",
            ) from error
        return Secret(plain.decode())

    def _cipher(self, key_id: str) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._keys[key_id])


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


def _read_or_make(path: Path) -> str:
    """The file's text. Two processes that make it at once end with the same key: a link is made by one only."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    draft = path.with_name(f"{path.name}.{random.token_hex(8)}")
    key = base64.b64encode(random.token_bytes(_KEY_BYTES)).decode()
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"k{random.token_hex(3)}:{key}\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        return path.read_text()
    except OSError as error:
        raise StoreError(
            f"cannot write the encryption key: {error.strerror}", where=str(path), hint="check the folder's permissions"
        ) from error


def _to_text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Redaction

_NAMED = re.compile(
    r"""(?ix) (?P<name> ["']? (?:access_token|refresh_token|client_secret|code_verifier|password|api_secret|
        oauth\.api\.secret|signature\.key|signature\.secret|apim\.subscription\.key|[\w.]*secret|[\w.]*password) ["']?
        \s* (?:=|:|%3D) \s* )
    (?P<value> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s&,;"'}\])]+ )"""
)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}")


class Redactor:
    """Blanks out secrets in text: the values it was told of, and what stands behind a telling name."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, *values: Secret | str | None) -> None:
        new = {reveal(value) for value in values if len(reveal(value)) >= _LEAST_REDACTED} - self._values
        if new:
            self._values |= new
            # The longest first, so that a value which contains another is blanked whole.
            ordered = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(value) for value in ordered))

    def scrub(self, text: str) -> str:
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        text = _AUTHORIZATION.sub(rf"\1\2{MASK}", text)
        return _NAMED.sub(lambda match: f"{match['name']}{MASK}", text)


class RedactingFilter(logging.Filter):
    """Scrubs records before they are written, tracebacks included, and drops the OAuth library's own chatter.

    At DEBUG requests-oauthlib logs tokens and the client secret as they are.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING and record.name.split(".")[0] in {"requests_oauthlib", "oauthlib"}:
            return False
        record.msg, record.args = self._redactor.scrub(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._redactor.scrub("".join(traceback.format_exception(*record.exc_info)).rstrip())
        return True


# What processes of one interpreter have in common: every token that passes through is learnt here.
redactor = Redactor()


def install_redaction(handlers: Iterable[logging.Handler] | None = None) -> None:
    """Put the filter on the handlers of the root logger (or on those given): third parties' records pass them too."""
    for handler in handlers if handlers is not None else logging.getLogger().handlers:
        if not any(isinstance(known, RedactingFilter) for known in handler.filters):
            handler.addFilter(RedactingFilter(redactor))
