"""A name for this process in leases, and a lock that shows whether the process still lives.

Every process that works on a store holds a lock on a file of its own in a folder beside the store. The operating system
frees the lock when the process ends, however it ends. So another process that can take the lock knows at once that the
first one is gone, and need not wait for its leases to run out.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

from ..errors import StoreError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where leases simply run out
    CAN_LOCK = False
else:
    CAN_LOCK = True

FOLDER = "processes"


class ProcessLock:
    """`name` is the owner of this process's leases; `close` gives the lock up."""

    def __init__(self, home: Path) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._folder = home / FOLDER
        self._path = self._folder / self.name
        try:
            self._file: IO[str] | None = self._open()
        except OSError as error:
            raise StoreError(
                f"cannot write to the folder: {error.strerror}",
                where=str(self._folder),
                hint="check the folder's permissions",
            ) from error

    def _open(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Lock the file before other processes can see it: they would take an unlocked one for that of a dead process.
        hidden = self._folder / f".{self.name}"
        file = hidden.open("w")
        _try_lock(file)
        hidden.rename(self._path)
        return file

    def dead(self) -> list[str]:
        """The names of processes that are gone; each is reported once."""
        others = (path for path in self._folder.glob("[!.]*") if path.name != self.name)
        return [path.name for path in others if _bury(path)]

    def close(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None


def _bury(path: Path) -> bool:
    """Whether the process is gone; if so, its file is removed."""
    try:
        with path.open("r+") as file:
            if not _try_lock(file):
                return False
            path.unlink(missing_ok=True)
            return True
    except FileNotFoundError:
        return False


def _try_lock(file: IO[str]) -> bool:
    if not CAN_LOCK:  # pragma: no cover
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
