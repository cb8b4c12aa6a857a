"""What the pytest fixtures are made of; see `pytest_plugin`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..app import Elements
from ..connections import Sessions, SharedTLSAdapter
from ..errors import ConnectoryError
from ..plugins import Plugins
from ..receiver.receiver import Received, Receiver
from ..sandbox.serving import Served
from .contract.failing import broken
from .stores import open_app
from .transport import WsgiAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import requests

    from ..app import App, Explanation
    from .clock import ManualClock

FIRST_PORT = 8100
KEY = "signature-key-of-the-tests"


class _Stack:
    """Ends what was begun, from `with` to its end."""

    def __init__(self) -> None:
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()


class SandboxRunner(_Stack):
    """Runs sandboxes on the tests' clock. `applications` are those in this process, by their hosts."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.applications: dict[str, Any] = {}

    def inside(self, application: Any) -> str:
        """Let the engines of this test reach an application without a socket; its base URL."""
        host = f"127.0.0.1:{FIRST_PORT + len(self.applications)}"
        self.applications[host] = self._on_clock(application)
        return f"http://{host}"

    def serve(self, application: Any) -> str:
        """Serve an application on a free port of this machine until the test ends; its base URL."""
        return self.stack.enter_context(Served(self._on_clock(application))).url

    def sessions(self) -> Sessions:
        """Connections to what runs here, and to nothing beyond this machine."""
        return Sessions(adapter=lambda: _HereAdapter(self.applications), use_proxies=False)

    def _on_clock(self, application: Any) -> Any:
        clock: Any = getattr(application, "clock", None)
        if hasattr(clock, "source"):
            clock.source = self._clock
        return application


class _HereAdapter(WsgiAdapter):
    """Asks applications in this process directly, and others on this machine over the network."""

    def __init__(self, applications: Mapping[str, Any]) -> None:
        super().__init__(applications)
        self._network = SharedTLSAdapter()

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        if parts.netloc not in self.applications and parts.hostname in {"127.0.0.1", "localhost", "::1"}:
            return self._network.send(request, *arguments, **options)
        return super().send(request, *arguments, **options)

    def close(self) -> None:
        self._network.close()
        super().close()


class AppMaker(_Stack):
    """Opens applications, and closes them when the test ends."""

    def __init__(self, folder: Path, clock: ManualClock, runner: SandboxRunner) -> None:
        super().__init__()
        self._folder = folder
        self._clock = clock
        self._runner = runner
        self._made = 0

    def __call__(self, *plugins: object, home: Path | None = None) -> App:
        """An application with these plugins, or with those that are installed; `home` is a store to go on with."""
        self._made += 1
        folder = home or self._folder / f"engine-{self._made}"
        folder.mkdir(parents=True, exist_ok=True)
        sessions = self._runner.sessions()
        self.stack.callback(sessions.close)
        app = open_app(folder, plugins=_registered(plugins), clock=self._clock, sessions=sessions)
        self.stack.callback(app.close)
        return app


def _registered(plugins: tuple[object, ...]) -> Plugins:
    if not plugins:
        return Plugins.load()
    registered = Plugins()
    for number, plugin in enumerate(plugins, 1):
        info = registered.register(plugin, f"plugin {number}")
        if info.quarantined is not None:
            broken(f"{plugin!r} cannot be used: {info.quarantined}", "mend what it says")
    return registered


class Inbox(_Stack):
    """A receiver on a real port. `received` holds each notification; `events` those of the verified ones, once each.

    An instance sends there with `inbox.configuration`. `deliver(app)` sends what waits. `expects_forgeries` lets
    notifications pass that are not signed as they should be.
    """

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.key = KEY
        self.received: list[Received] = []
        self.expects_forgeries = False
        receiver = Receiver([KEY.encode()], self.received.append, now=clock.now)
        self.url = f"{self.stack.enter_context(Served(receiver)).url}/events"

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration keys of an instance that sends its notifications here."""
        return {"event.notification.callback.url": self.url, "event.notification.signature.key": self.key}

    @property
    def events(self) -> list[Mapping[str, Any]]:
        return [event for one in self.received if one.verified and not one.duplicate for event in one.events]

    def deliver(self, app: App) -> int:
        """Send what is due, and return how many attempts were made."""
        return app.deliveries.run_due()

    def check(self) -> None:
        """Fail where a notification was not signed as it should be, or events came out of order."""
        if not self.expects_forgeries:
            for one in self.received:
                if not one.verified:
                    broken(f"notification {one.id} is not verified: {one.reason}", "sign with connectory_receiver.key")
        late = [event for one in self.received for event in one.out_of_order]
        if late:
            broken(f"{len(late)} events came after later ones of the same object", "deliver with one worker per store")


class Recorder:
    """Records polls, without their secrets, and replays them without a provider."""

    def record(self, app: App, path: Path, *instance_ids: int) -> int:
        """Poll what is due of these instances, or of all, and write each poll to the file; how many there were."""
        return app.polls.record(path, instances=instance_ids or None)

    def replay(self, path: Path, *plugins: object, resource: str | None = None) -> Explanation:
        """Run a recorded poll again. It fails where the plugin asks for what was not recorded, or for less."""
        try:
            explanation = Elements(_registered(plugins)).replay(path, resource)
        except ConnectoryError as error:
            broken(f"the recording does not fit: {error}", "if the plugin is right to ask otherwise, record it again")
        return explanation
