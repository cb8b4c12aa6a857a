"""The application of one store."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..instances.login.keepalive import KeepAlive
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
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from ..clock import Clock
    from ..http import Sessions
    from ..insight.doctor import Check
    from ..insight.explanation import Explanation
    from ..plugins import Plugins
    from .acts import Act

GRACE = timedelta(seconds=20)
"""How long the end of a run waits for its last deliveries."""


class App:
    """An open store and everything that can be done with it. It is a context manager that closes the store.

    The calls are grouped by noun: `elements`, `instances`, `polls`, `events` and `deliveries`. They may be made from
    several threads at once. They return plain dataclasses, which `connectory.app.as_json` turns into JSON values.

    Each call that changes something takes an `actor`; by default it is the one that the application was opened with.
    `acts.watch` registers a function that is called after each change, and `allows` (of `connectory.open`) can refuse
    a change. `parts` holds the objects that the calls work on, for tests and tools.

    Every error is a `ConnectoryError`: its message says what is wrong, `where` points at it, and `hint` says what to
    do next.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_app(folder, actor="billing") as app:
    ...     app.instances.find(), app.events.find(), app.deliveries.pending()
    ([], [], 0)
    """

    def __init__(self, parts: Parts, actor: str = PYTHON, allows: Callable[[Act], None] | None = None) -> None:
        self.parts = parts
        self.acts = Acts(actor, allows)
        self.elements = Elements(parts.plugins)
        self.instances = Instances(parts, self.acts)
        self.polls = Polls(parts, self.acts, self.instances)
        self.events = Events(parts, self.instances)
        self.deliveries = Deliveries(parts, self.acts, self.instances)
        self._keep_alive = KeepAlive(parts.database, parts.plugins, parts.runtimes, parts.clock)
        self._is_started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store. Calls after this fail."""
        self.parts.close()

    # Running

    def run(
        self,
        stop: threading.Event,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        grace: timedelta = GRACE,
    ) -> None:
        """Poll, deliver, and renew logins until `stop` is set; for all instances, or for some.

        When `stop` is set, running polls are finished, however long that takes. Then their events are delivered for at
        most `grace`. Notifications that have not arrived by then stay in the store, and the next run sends them. If
        something ends the work early, `stop` is set and the error is raised.
        """
        with self.running(instances=instances, observer=observer, ended=stop):
            stop.wait()
        self.drain(grace, instances=instances, observer=observer)

    @contextlib.contextmanager
    def running(
        self,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        ended: threading.Event | None = None,
    ) -> Iterator[Running]:
        """Poll and deliver in threads while the `with` block runs.

        If the work fails, `ended` is set, and the error is raised at the end of the block. At that point polls and
        deliveries that have begun are finished; other deliveries stay in the store, and `drain` sends them.
        """
        self._start()
        ids = self.instances.ids_of(instances)
        with Running(self.parts, self._keep_alive, observer or Observer(), ids, ended) as running:
            yield running

    def run_once(
        self,
        *,
        instances: Iterable[int | str] | None = None,
        observer: Observer | None = None,
        grace: timedelta = GRACE,
        stop: threading.Event | None = None,
    ) -> int:
        """Poll once what is due, deliver the events, and return how many polls ran.

        `grace` limits only the deliveries and their retries; the polls finish without a limit. Setting `stop` ends the
        deliveries early.
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
        """Deliver what waits, for at most `grace` or until `stop` is set. Returns whether everything was delivered."""
        self._start()
        until = self.parts.clock.now() + grace
        ids = self.instances.ids_of(instances)
        return drain(self.parts, observer or Observer(), ids, until, stop or threading.Event())

    def _start(self) -> None:
        """Tell the plugins when this application runs for the first time."""
        if not self._is_started:
            self._is_started = True
            self.parts.plugins.engine_starting(self)

    # Looking into it

    def explain(self, instance: int | str, resource: str, at: datetime | None = None) -> Explanation:
        """What the next poll of a resource would do, and why. `at` pretends that it is another time.

        The provider is asked. Nothing is announced, and no cursor is moved.
        """
        from ..insight.explain import explain

        return explain(self.parts, self.instances.id_of(instance), resource, at)

    def diagnose(self, instance: int | str, *, all_deletions: bool = False) -> Iterator[Check]:
        """Check whether an instance works, by asking its provider; each result is yielded as soon as it is known.

        `all_deletions` also checks whether deletions could be found in resources that do not track them.
        """
        from ..insight.doctor import diagnose

        return diagnose(self.parts, self.instances.id_of(instance), all_deletions=all_deletions)


def open_app(
    home: Path | str | None = None,
    database_url: str | None = None,
    *,
    plugins: Plugins | None = None,
    clock: Clock | None = None,
    sessions: Sessions | None = None,
    actor: str = PYTHON,
    allows: Callable[[Act], None] | None = None,
) -> App:
    """Open a store and return the application on it. This is `connectory.open`.

    `home` is the folder of the store, its keys and `connectory.toml`. It is created if it does not exist. The default
    is `CONNECTORY_HOME`, or the user's data folder. `database_url` is an SQLAlchemy URL; the default comes from
    the environment or `connectory.toml`, or is SQLite in `home`.

    `actor` is the actor of a change whose call does not name one. `allows` is called with each `Act` before it is
    done, and refuses it by raising an error. `plugins`, `clock` and `sessions` are for tests; the defaults are the
    installed plugins, the system's clock and real connections.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_app(folder) as app:
    ...     app.instances.find()
    []
    """
    settings = Settings.load(None if home is None else Path(home))
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    return App(Parts(settings, plugins=plugins, clock=clock, sessions=sessions), actor, allows)
