"""Who holds a lease: a name for this process that others can find dead at once.

Every process that works on a store in a folder holds a lock on a file of its own there. A name whose lock can be
taken belongs to a process that is gone, however it went, and nobody needs to wait for its leases to run out.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: leases run out by themselves there
    fcntl = None  # type: ignore[assignment]

FOLDER = "owners"


class Owner:
    """`name` goes into the leases; `close` gives the lock up."""

    def __init__(self, home: Path) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._folder = home / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._folder / self.name
        # Locked before it can be found: else another process could take it for a dead one's.
        hidden = self._folder / f".{self.name}"
        self._file: IO[str] | None = hidden.open("w")
        _try_lock(self._file)
        hidden.rename(self._path)

    def dead(self) -> list[str]:
        """The names of owners whose processes are gone; each is reported once."""
        others = (path for path in self._folder.glob("[!.]*") if path.name != self.name)
        return [path.name for path in others if _bury(path)]

    def close(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None


def _bury(path: Path) -> bool:
    """Whether the owner is gone; its file is removed then."""
    try:
        with path.open("r+") as file:
            if not _try_lock(file):
                return False
            path.unlink(missing_ok=True)
            return True
    except FileNotFoundError:
        return False


def _try_lock(file: IO[str]) -> bool:
    if fcntl is None:  # pragma: no cover
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
