"""Quick stores for tests: copies of one empty store, without the disk writes that protect from a power failure."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url

from ..app import App
from ..instances.parts import Parts
from ..secrets import KEYS_FILE, KeyRing
from ..settings import Settings
from ..store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..http import Sessions
    from ..plugins import Plugins
    from .clock import ManualClock


_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder is made in it


@contextlib.contextmanager
def quick_folder() -> Iterator[Path]:
    """A temporary folder, in memory if the system allows that."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="connectory-", dir=where) as folder:
        yield Path(folder)


def open_app(home: Path, *, plugins: Plugins, clock: ManualClock, sessions: Sessions) -> App:
    """An application on the store in `home`; a store is made if there is none yet."""
    settings = Settings.load(home, {})
    store = Path(str(make_url(settings.database_url).database))
    if not store.exists():
        store.write_bytes(_empty_store())
        (home / KEYS_FILE).write_text(_key())
    parts = Parts(settings, plugins=plugins, clock=clock, sessions=sessions)
    event.listen(parts.database.engine, "connect", _hurry)
    # Connections that are open already would keep the slow setting.
    parts.database.engine.dispose()
    return App(parts)


@functools.cache
def _empty_store() -> bytes:
    with quick_folder() as folder:
        store = folder / "empty.db"
        Database.open(f"sqlite:///{store}").close()
        return store.read_bytes()


@functools.cache
def _key() -> str:
    """The encryption key, which all stores of this process share."""
    with quick_folder() as folder:
        KeyRing.load(folder, {})
        return (folder / KEYS_FILE).read_text()


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")
