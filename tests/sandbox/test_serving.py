"""The server that sandboxes and receivers run on."""

from __future__ import annotations

import socket
import time

from werkzeug.wrappers import Response

from connectory.sandbox.serving import Served


def test_it_ends_at_once_and_its_connections_with_it():
    with socket.socket() as client:
        client.settimeout(5)
        with Served(Response("ok")) as served:
            client.connect(("127.0.0.1", int(served.url.rpartition(":")[2])))
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            started = time.monotonic()
        # The loop of the server looks at its sockets once a second, unless it is woken.
        assert time.monotonic() - started < 0.9
        while client.recv(1000):
            pass


def test_its_port_is_free_again_afterwards():
    with Served(Response("ok")) as served:
        port = int(served.url.rpartition(":")[2])
    with Served(Response("ok"), port) as again:
        assert again.url == served.url
