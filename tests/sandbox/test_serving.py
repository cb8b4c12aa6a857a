"""The server that sandboxes and receivers run on."""

from __future__ import annotations

import socket

from werkzeug.wrappers import Response

from connectory.sandbox.serving import Served


def test_connections_end_with_the_server():
    with socket.socket() as client:
        client.settimeout(5)
        with Served(Response("ok")) as served:
            client.connect(("127.0.0.1", int(served.url.rpartition(":")[2])))
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        while client.recv(1000):
            pass
