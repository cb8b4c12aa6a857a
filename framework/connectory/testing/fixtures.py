"""The classes behind the pytest fixtures; see `pytest_plugin`."""

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
    """A context manager that closes what is on its stack."""

    def __init__(self) -> None:
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.close()


class SandboxRunner(_Stack):
    """Runs sandboxes on the clock of the test. `applications` are those without a socket, by their hosts."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.applications: dict[str, Any] = {}

    def inside(self, application: Any) -> str:
        """Let the applications of this test reach a sandbox without a socket; return its base URL."""
        host = f"127.0.0.1:{FIRST_PORT + len(self.applications)}"
        self.applications[host] = self._on_clock(application)
        return f"http://{host}"

    def serve(self, application: Any) -> str:
        """Serve a sandbox on a free port of this machine until the test ends; return its base URL."""
        return self.stack.enter_context(Served(self._on_clock(application))).url

    def sessions(self) -> Sessions:
        """HTTP sessions that reach these sandboxes and other ports of this machine, but no other machine."""
        return Sessions(adapter=lambda: _HereAdapter(self.applications), use_proxies=False)

    def _on_clock(self, application: Any) -> Any:
        clock: Any = getattr(application, "clock", None)
        if hasattr(clock, "source"):
            clock.source = self._clock
        return application


class _HereAdapter(WsgiAdapter):
    """Calls applications in this process directly, and uses the network for other ports of this machine."""

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
        """An application with these plugins, or with the installed ones. `home` is the folder of an existing store."""
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
            broken(f"{plugin!r} cannot be used: {info.quarantined}", "fix that; the plugin is quarantined until then")
    return registered


class Inbox(_Stack):
    """A receiver on a real port. `received` holds every notification, `events` the events of the verified ones.

    An instance with `inbox.configuration` sends its notifications here, and `deliver(app)` delivers the waiting ones.
    Set `expects_forgeries` if the test sends notifications with a wrong signature.
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
        """Deliver the notifications that are due, and return how many attempts were made."""
        return app.deliveries.run_due()

    def check(self) -> None:
        """Fail if a notification had a wrong signature, or if events came out of order."""
        if not self.expects_forgeries:
            for one in self.received:
                if not one.verified:
                    broken(f"notification {one.id} is not verified: {one.reason}", "sign with connectory_receiver.key")
        late = [event for one in self.received for event in one.out_of_order]
        if late:
            broken(
                f"{len(late)} events came after later events of the same object", "deliver with one worker per store"
            )


class Recorder:
    """Records polls without their secrets, and replays them without the provider."""

    def record(self, app: App, path: Path, *instance_ids: int) -> int:
        """Run the polls that are due, of these instances or of all, and write them to the file; return their number."""
        return app.polls.record(path, instances=instance_ids or None)

    def replay(self, path: Path, *plugins: object, resource: str | None = None) -> Explanation:
        """Replay a recorded poll. It fails if the plugin asks for a page that was not recorded, or leaves one out."""
        try:
            explanation = Elements(_registered(plugins)).replay(path, resource)
        except ConnectoryError as error:
            broken(
                f"the plugin does not ask for what was recorded: {error}",
                "correct the plugin, or record the poll again if the change is intended",
            )
        return explanation
