"""Everything that works on one store: the database, the plugins, the clock, the logins, and the runtimes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import SystemClock
from ..http import Sessions
from ..plugins import Plugins
from ..schemas import SIGNATURE_KEY
from ..secrets import KeyRing
from ..store.database import Database
from ..store.processlock import ProcessLock
from .login.tokens import TokenKeeper
from .runtime import Runtimes
from .vault import Vault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..clock import Clock
    from ..secrets import Secret
    from ..settings import Settings


class Parts:
    """Opens the store and holds the parts that work on it; close it when done."""

    def __init__(
        self,
        settings: Settings,
        *,
        plugins: Plugins | None = None,
        clock: Clock | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.plugins = plugins or Plugins.load()
        self.database = Database.open_in(settings.home, settings.database_url)
        self.process = ProcessLock(settings.home)
        self.vault = Vault(KeyRing.load(settings.home))
        self.tokens = TokenKeeper(self.database, self.vault.keyring, self.clock, self.owner)
        self.sessions = sessions or Sessions()
        self.runtimes = Runtimes(self.database, self.plugins, self.vault, self.tokens, self.sessions)

    @property
    def owner(self) -> str:
        """The name under which this process holds leases."""
        return self.process.name

    @property
    def snapshots_kept(self) -> timedelta:
        """How long the last version of an object is kept after the object's last change."""
        return timedelta(days=self.settings.snapshot_days)

    def signature_keys(self, instance_id: int) -> Sequence[bytes]:
        """The keys that sign an instance's notifications, newest first; empty when none is configured."""
        key: Secret | None = self.runtimes.get(instance_id).config[SIGNATURE_KEY]
        return [key.reveal().encode()] if key is not None and key.reveal() else []

    def close(self) -> None:
        self.process.close()
        self.database.close()
