"""The listener that receives the redirect of a consent."""

from __future__ import annotations

import socket
import threading
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import requests

from connectory.errors import (
    ConfigurationError,
)
from connectory.instances.login.loopback import LoopbackListener


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_listener_receives_the_redirect(port):
    with LoopbackListener(f"http://127.0.0.1:{port}/callback") as listener:
        with urlopen(f"http://127.0.0.1:{port}/callback?code=GB%2Fabc&state=s") as page:
            assert "You can close this window" in page.read().decode()
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert listener.wait(5) == f"http://127.0.0.1:{port}/callback?code=GB%2Fabc&state=s"


def test_the_first_answer_counts_and_other_requests_do_not(port):
    url = f"http://127.0.0.1:{port}"
    with LoopbackListener(f"{url}/callback") as listener:
        for path in ("/favicon.ico?code=1", "/callback", "/callback?x=1"):
            assert requests.get(url + path, timeout=5).status_code == 404
        assert listener.wait(0) is None
        for answer in ("error=access_denied", "code=2"):
            assert requests.get(f"{url}/callback?{answer}", timeout=5).status_code == 200
        assert parse_qs(urlsplit(listener.wait(5)).query) == {"error": ["access_denied"]}


def test_an_answer_to_another_login_is_turned_away_and_waiting_goes_on(port):
    url = f"http://127.0.0.1:{port}/callback"
    with LoopbackListener(url, lambda state: state == "ours") as listener:
        for answer in ("code=1&state=theirs", "code=1", "error=access_denied&state=theirs"):
            assert requests.get(f"{url}?{answer}", timeout=5).status_code == 404
        assert listener.wait(0) is None
        assert requests.get(f"{url}?code=2&state=ours", timeout=5).status_code == 200
        assert listener.wait(5) == f"{url}?code=2&state=ours"


def test_the_listener_takes_a_refusal_without_a_state(port):
    url = f"http://127.0.0.1:{port}/callback"
    with LoopbackListener(url, lambda state: state == "ours") as listener:
        assert requests.get(f"{url}?error=access_denied", timeout=5).status_code == 200
        assert listener.wait(5)


def test_an_unused_connection_does_not_keep_the_answer_away(port):
    with LoopbackListener(f"http://127.0.0.1:{port}/") as listener, socket.create_connection(("127.0.0.1", port)):
        requests.get(f"http://127.0.0.1:{port}/?code=1", timeout=5)
        assert listener.wait(5)


def test_the_listener_can_be_stopped(port):
    with LoopbackListener(f"http://localhost:{port}/callback") as listener:
        threading.Timer(0.01, listener.stop).start()
        assert listener.wait(30) is None
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_the_listener_does_not_log_the_code(port, capfd):
    with LoopbackListener(f"http://127.0.0.1:{port}/callback"):
        requests.get(f"http://127.0.0.1:{port}/callback?code=hidden", timeout=5)
        requests.get(f"http://127.0.0.1:{port}/other?code=hidden", timeout=5)
    assert "hidden" not in "".join(capfd.readouterr())


def test_a_port_in_use(port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ConfigurationError, match=rf"cannot listen on 127\.0\.0\.1:{port}.*uses the port"):
            LoopbackListener(f"http://127.0.0.1:{port}/callback").__enter__()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8723/", "http://acme.example/callback", "http://127.0.0.1:99999/", "127.0.0.1:8723", ""]
)
def test_a_callback_that_cannot_be_received_here(url):
    with pytest.raises(ConfigurationError, match="not on this machine"):
        LoopbackListener(url)
