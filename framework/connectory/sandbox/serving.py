"""Serves WSGI applications on this machine: sandboxes, receivers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Served:
    """A WSGI application on a loopback port, from `with` to its end."""

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
                f"cannot listen on port {self._port}: {error.strerror}", hint="name another one with --port"
            ) from error
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.task_dispatcher.shutdown()
        self._server.close()
        self._thread.join(timeout=2)
        # The server closes the socket that it listens on, and leaves those of its connections open.
        for channel in list(self._server.active_channels.values()):
            channel.handle_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.effective_port}"

    def _run(self) -> None:
        try:
            self._server.run()
        except OSError:
            # Its sockets were closed under it, which is how it is ended.
            return
