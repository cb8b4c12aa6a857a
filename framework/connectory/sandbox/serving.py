"""Serves a WSGI application, such as a sandbox or a receiver, on this machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Served:
    """A WSGI application on a loopback port, while the `with` block runs. Port 0 stands for any free port."""

    def __init__(self, application: Any, port: int = 0) -> None:
        self._application = application
        self._port = port

    def __enter__(self) -> Self:
        from waitress.server import create_server

        from ..errors import ConfigurationError

        try:
            self._server: Any = create_server(
                self._application, host="127.0.0.1", port=self._port, threads=16, connection_limit=1000
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on port {self._port}: {error.strerror}", hint="choose another one with --port"
            ) from error
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.task_dispatcher.shutdown()
        # The loop closes its own sockets: if another thread did it, the loop would notice only a second later.
        self._server.trigger.pull_trigger(self._close)
        self._thread.join(timeout=2)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.effective_port}"

    def _close(self) -> None:
        """Close the connections, which the server would leave open, and then the server."""
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()
        self._server.close()
