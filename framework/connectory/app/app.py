"""The application of one store."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..insight.doctor import diagnose
from ..insight.explain import explain
from ..instances.keepalive import KeepAlive
from ..instances.parts import Parts
from ..settings import Settings
from .acts import PYTHON, Acts
from .deliveries import Deliveries
from .elements import Elements
from .events import Events
from .instances import Instances
from .polls import Polls
from .running import Observer, Running, drain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from ..clock import Clock
    from ..http import Sessions
    from ..insight.doctor import Check
    from ..insight.explanation import Explanation
    from ..plugins import Plugins

GRACE = timedelta(seconds=20)
"""How long a bounded run waits for its last notifications."""


class App:
    """An open store and everything that can be done with it; a context manager that closes it.

    `elements`, `instances`, `polls`, `events` and `deliveries` hold the calls. Each call that changes something takes
    an `actor`, who is noted with the change; by default the one that the application was opened with. `parts` are what
    the calls work on, for tests and tools.

    Errors are `ConnectoryError`s: each says what is wrong, where, and what to do next.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_app(folder, actor="billing") as app:
    ...     app.instances.find(), app.events.find(), app.deliveries.pending()
    ([], [], 0)
    """

    def __init__(self, parts: Parts, actor: str = PYTHON) -> None:
        self.parts = parts
        self.acts = Acts(actor)
        self.elements = Elements(parts.plugins)
        self.instances = Instances(parts, self.acts)
        self.polls = Polls(parts, self.acts, self.instances)
        self.events = Events(parts, self.instances)
        self.deliveries = Deliveries(parts, self.acts, self.instances)
        self.keep_alive = KeepAlive(parts.database, parts.plugins, parts.runtimes, parts.clock)
        self._is_started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.parts.close()

    # Running

    def run(
        self,
        stop: threading.Event,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        grace: timedelta = timedelta(0),
    ) -> None:
        """Poll, deliver, and keep logins alive until `stop` is set; of all instances, or of some.

        What is being polled or sent then is finished. `grace` is how long to wait for notifications that have not
        arrived. What ends the work early is raised.
        """
        with self.running(instances=instances, observer=observer, ended=stop):
            stop.wait()
        if grace:
            self.drain(grace, instances=instances, observer=observer)

    @contextlib.contextmanager
    def running(
        self,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        ended: threading.Event | None = None,
    ) -> Iterator[Running]:
        """Poll and deliver in threads of their own, from `with` to its end; `ended` is set where they fail."""
        self._start()
        ids = self.instances.ids_of(instances)
        with Running(self.parts, self.keep_alive, observer or Observer(), ids, ended) as running:
            yield running

    def run_once(
        self,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        grace: timedelta = GRACE,
        stop: threading.Event | None = None,
    ) -> int:
        """Poll what is due once each, and deliver what waits; returns how many polls ran.

        `grace` is how long to wait for retries, and `stop` ends that early.
        """
        self._start()
        polled = self.polls.run_due(instances=instances, observer=observer)
        self.drain(grace, instances=instances, observer=observer, stop=stop)
        return polled

    def drain(
        self,
        grace: timedelta,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        stop: threading.Event | None = None,
    ) -> bool:
        """Deliver what waits, for at most `grace`, or until `stop` is set; whether nothing waits any more."""
        until = self.parts.clock.now() + grace
        ids = self.instances.ids_of(instances)
        return drain(self.parts, observer or Observer(), ids, until, stop or threading.Event())

    def _start(self) -> None:
        """Tell the plugins, the first time that this application runs."""
        if not self._is_started:
            self._is_started = True
            self.parts.plugins.engine_starting(self)

    # Looking into it

    def explain(self, instance: int | str, resource: str, at: datetime | None = None) -> Explanation:
        """What the next poll of a resource would do and why, at this moment or at another one.

        The provider is asked; nothing is announced, remembered or moved.
        """
        return explain(self.parts, self.instances.id_of(instance), resource, at)

    def diagnose(self, instance: int | str, *, all_deletions: bool = False) -> Iterator[Check]:
        """Whether an instance would work, asked of its provider: each check as soon as it was made."""
        return diagnose(self.parts, self.instances.id_of(instance), all_deletions=all_deletions)


def open_app(
    home: Path | str | None = None,
    database_url: str | None = None,
    *,
    plugins: Plugins | None = None,
    clock: Clock | None = None,
    sessions: Sessions | None = None,
    actor: str = PYTHON,
) -> App:
    """Open a store, which is made where there is none, and return the application on it: `connectory.open`.

    `home` is the folder of the store, its keys and `connectory.toml`; by default `CONNECTORY_HOME`, or the user's data
    folder. `database_url` is an SQLAlchemy URL; by default what the environment or `connectory.toml` says, or SQLite in
    `home`. `actor` is who makes the changes that name nobody else. `plugins`, `clock` and `sessions` are for tests: the
    installed plugins, the system's clock and real connections by default.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_app(folder) as app:
    ...     app.instances.find()
    []
    """
    settings = Settings.load(None if home is None else Path(home))
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    return App(Parts(settings, plugins=plugins, clock=clock, sessions=sessions), actor)
