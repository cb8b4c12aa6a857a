"""The file with the encryption keys of a store, made at the first use."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets as random
from typing import TYPE_CHECKING

from ..errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


KEYS_VARIABLE = "CONNECTORY_KEYS"
KEYS_FILE = "keys"
KEY_BYTES = 32


def read_or_make(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError as error:
        raise StoreError(
            f"the encryption keys cannot be read or written: {error.strerror}",
            where=str(path),
            hint=f"check the folder's permissions, or set {KEYS_VARIABLE}",
        ) from error


def _make(path: Path) -> None:
    """Write a first key. It must be complete on the disk before it is used: if it is lost, so is what it encrypts.

    Only one of several processes succeeds in making the link, so all of them read the same key afterwards.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{random.token_hex(8)}")
    key = base64.b64encode(random.token_bytes(KEY_BYTES)).decode()
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"k{random.token_hex(3)}:{key}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
