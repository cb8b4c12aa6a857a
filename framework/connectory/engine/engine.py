"""The engine of one store: everything that the faces (command line, API, console) drive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import SystemClock
from ..http import Sessions
from ..plugins import Plugins
from ..schemas import SIGNATURE_KEY
from ..secrets import KeyRing
from ..store.database import Database
from .deletions import Deletions
from .instances import Instances
from .keepalive import KeepAlive
from .owner import Owner
from .poller import Observer, Poller
from .runtime import Runtimes
from .scheduler import Scheduler
from .tokens import TokenKeeper
from .vault import Vault

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..clock import Clock
    from ..secrets import Secret
    from ..settings import Settings


class Engine:
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
        self.owner = Owner(settings.home)
        self.vault = Vault(KeyRing.load(settings.home))
        self.tokens = TokenKeeper(self.database, self.vault.keyring, self.clock, self.owner.name)
        self.sessions = sessions or Sessions()
        self.runtimes = Runtimes(self.database, self.plugins, self.vault, self.tokens, self.sessions)
        self.deletions = Deletions(self.database, self.clock)
        self.instances = Instances(self.database, self.plugins, self.vault, self.tokens, self.runtimes, self.clock)
        self.keep_alive = KeepAlive(self.database, self.plugins, self.runtimes, self.clock)

    def scheduler(self, observer: Observer | None = None, instance_ids: Collection[int] | None = None) -> Scheduler:
        """What polls this store's instances, or those of the given ids only."""
        return Scheduler(
            self.database,
            Poller(self.database, self.runtimes, self.clock, observer, timedelta(days=self.settings.snapshot_days)),
            self.clock,
            self.owner,
            workers=self.settings.workers,
            instance_ids=instance_ids,
            keep_alive=self.keep_alive,
        )

    def signature_keys(self, instance_id: int) -> Sequence[bytes]:
        """The keys that sign an instance's notifications, newest first; none where they are not signed."""
        key: Secret | None = self.runtimes.get(instance_id).config[SIGNATURE_KEY]
        return [key.reveal().encode()] if key is not None and key.reveal() else []

    def close(self) -> None:
        self.owner.close()
        self.database.close()
