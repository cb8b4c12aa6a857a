"""Renews refresh tokens before they expire unused, as those of paused or rarely polled instances would."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from ...clock import to_micros
from ...errors import AuthenticationError, ConnectoryError
from ...store import credentials
from . import lostlogin

if TYPE_CHECKING:
    from datetime import datetime

    from ...clock import Clock
    from ...plugins import Plugins
    from ...store.database import Database
    from ..runtime import Runtimes

log = logging.getLogger(__name__)

# How often to look for such a token. At most one is renewed each time.
EVERY = timedelta(minutes=1)
# After a login could not be renewed, wait this long before the next try, so that it does not hold up the others.
AGAIN = timedelta(hours=1)


class KeepAlive:
    """One per process. A lease on each credential keeps two processes from renewing the same one."""

    def __init__(self, database: Database, plugins: Plugins, runtimes: Runtimes, clock: Clock) -> None:
        self._database = database
        self._plugins = plugins
        self._runtimes = runtimes
        self._clock = clock
        self._looked: datetime | None = None
        self._failed: dict[int, datetime] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Call `tend` in a thread of its own, if it is time: providers can be slow, and the caller polls others."""
        if self._is_time() and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self.tend, name="keep-alive", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def tend(self) -> int | None:
        """Renew the login that has been unused for longest, if it is time for that; returns the id of its instance."""
        if not self._is_time():
            return None
        self._looked = self._clock.now()
        try:
            instance_id = self._longest_unused()
            if instance_id is not None:
                self._renew(instance_id)
        except ConnectoryError as error:
            log.warning("refresh tokens cannot be kept alive now: %s", error)
            return None
        return instance_id

    def _is_time(self) -> bool:
        return self._looked is None or self._clock.now() - self._looked >= EVERY

    def _longest_unused(self) -> int | None:
        now = self._clock.now()
        self._failed = {key: moment for key, moment in self._failed.items() if now - moment < AGAIN}
        with self._database.read() as connection:
            for key in credentials.elements(connection):
                limit = self._limit_of(key)
                if limit is not None:
                    before = to_micros(now - limit)
                    found = credentials.longest_unused(connection, key, before, tuple(self._failed))
                    if found is not None:
                        return found
        return None

    def _limit_of(self, element_key: str) -> timedelta | None:
        try:
            oauth = self._plugins.element(element_key).oauth
        except ConnectoryError:
            # The plugin is missing or broken, which the polls of its instances report.
            return None
        return None if oauth is None else oauth.keep_alive

    def _renew(self, instance_id: int) -> None:
        try:
            self._runtimes.renew_login(instance_id)
        except AuthenticationError as error:
            self._failed[instance_id] = self._clock.now()
            with self._database.write() as connection:
                lostlogin.lose(connection, instance_id, None, error, self._clock.now())
        except ConnectoryError as error:
            self._failed[instance_id] = self._clock.now()
            log.warning("the refresh token of instance %s could not be kept alive: %s", instance_id, error)
