"""One attempt against receivers that behave and that do not, over real sockets."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectory.delivery.poster import MOST_KEPT, HttpPoster

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the next script, a list of pieces of bytes; the last script serves the rest."""

    def __init__(self, *scripts, wrap=lambda connection: connection):
        self.scripts = list(scripts)
        self.requests, self.connections = [], 0
        self.over = threading.Event()
        self._wrap = wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), self._wrap(connection) as connection:
            connection.settimeout(5)
            while request := self._read(connection):
                self.requests.append(request)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                for piece in script:
                    if piece == "hang":
                        self.over.wait(5)
                    elif piece == "close":
                        return
                    elif isinstance(piece, float):
                        self.over.wait(piece)
                    else:
                        connection.sendall(piece)

    def _read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := connection.recv(65536)):
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
        return head, body

    def close(self):
        self.over.set()
        # Closing alone does not wake a thread that accepts.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(6)


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(*scripts, **options):
            server = Server(*scripts, **options)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def make_poster():
    """Posters are closed before the servers are, or the servers would wait for the next request."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            poster = HttpPoster(**options)
            stack.callback(poster.close)
            return poster

        yield make


@pytest.fixture
def poster(serve, make_poster):
    return make_poster()


def post(poster, server, path="/hook", body=b"{}", **headers):
    return poster.post(f"http://127.0.0.1:{server.port}{path}", headers, body)


def test_the_request_as_it_goes_over_the_wire(serve, poster):
    server = serve([OK])
    sent = post(poster, server, "/hook?key=a%20b", b'{"a":"\xc3\xa9"}', **{"Elements-Webhook-Id": "7"})
    assert (sent.status, sent.error, sent.head, sent.retry_after) == (200, None, b"ok", None)
    head, body = server.requests[0]
    request, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert request == "POST /hook?key=a%20b HTTP/1.1"
    assert body == b'{"a":"\xc3\xa9"}'
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(body))
    assert headers["Elements-Webhook-Id"] == "7"
    assert headers["User-Agent"].startswith("Connectory/")
    assert not {"Cookie", "Authorization"} & set(headers)


def test_one_connection_serves_attempt_after_attempt(serve, poster):
    server = serve([OK])
    for _ in range(5):
        assert post(poster, server).status == 200
    assert server.connections == 1


def test_a_connection_that_was_closed_in_between_is_not_a_failure(serve, poster):
    server = serve([OK, "close"])
    assert post(poster, server).status == 200
    server._threads[-1].join(5)
    assert post(poster, server).status == 200
    assert server.connections == 2


def test_threads_share_it(serve, poster):
    server = serve([OK])
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(poster, server).status, range(40)))
    assert statuses == [200] * 40
    assert server.connections <= 8


def test_cookies_are_not_kept(serve, poster):
    server = serve([b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"])
    post(poster, server)
    post(poster, server)
    assert b"ookie" not in server.requests[1][0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(serve, poster, status):
    elsewhere = serve([OK])
    location = f"http://127.0.0.1:{elsewhere.port}/".encode()
    server = serve([b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location)])
    assert post(poster, server).status == status
    assert elsewhere.requests == []


def test_proxies_and_netrc_of_the_environment_are_not_used(serve, make_poster, monkeypatch, tmp_path):
    proxy, server = serve([OK]), serve([OK])
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert post(make_poster(), server).status == 200
    assert (len(server.requests), proxy.requests) == (1, [])
    assert b"Authorization" not in server.requests[0][0]


def test_a_password_in_the_url_is_sent_as_a_header(serve, poster):
    server = serve([OK])
    assert poster.post(f"http://user:secret@127.0.0.1:{server.port}/", {}, b"").status == 200
    assert b"Authorization: Basic dXNlcjpzZWNyZXQ=" in server.requests[0][0]


def test_what_the_receiver_asks_for_is_passed_on(serve, poster):
    server = serve([b"HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"])
    sent = post(poster, server)
    assert (sent.status, sent.retry_after, sent.head) == (503, "30", b"")


def test_of_a_long_answer_the_first_bytes_are_kept(serve, poster):
    server = serve([b"HTTP/1.1 500 No\r\nContent-Length: 5000000\r\n\r\n", b"x" * 2000, "hang"], [OK])
    sent = post(poster, server)
    assert (sent.status, sent.head) == (500, b"x" * MOST_KEPT)
    # Its connection is not used again: the rest of the answer would have to be read.
    assert post(poster, server).head == b"ok"
    assert server.connections == 2


def test_an_answer_of_exactly_as_many_bytes_keeps_its_connection(serve, poster):
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n", b"x" * 1024])
    assert post(poster, server).head == b"x" * 1024
    post(poster, server)
    assert server.connections == 1


def test_an_endless_answer_ends(serve, poster):
    server = serve(
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"400\r\n" + b"x" * 1024 + b"\r\n"] * 9]
    )
    assert post(poster, server).head == b"x" * 1024


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (["hang"], "no answer within 0.3 s"),
        ([b"HTTP/1.1 200 OK\r\nX-", "hang"], "no answer within 0.3 s"),
        # A byte now and then keeps a socket's own timeout from ever ending.
        ([b"HTTP/1.1 200 OK\r\nX-Slow: ", *[0.1, b"z"] * 20], "no answer within 0.3 s"),
        (["close"], "the connection broke"),
        ([b"HTTP/1.1 2", "close"], "the connection broke"),
        ([b"SSH-2.0-OpenSSH\r\n", "close"], "the connection broke"),
    ],
)
def test_no_answer_is_an_error_in_plain_words(serve, make_poster, script, error):
    server = serve(script)
    started = time.monotonic()
    sent = post(make_poster(timeout=(1.0, 0.3)), server)
    assert time.monotonic() - started < 1
    assert sent.status is None
    assert sent.error.startswith(error)
    assert "http://" not in sent.error


def test_a_body_that_does_not_come_does_not_take_the_status_back(serve, make_poster):
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", *[0.1, b"z"] * 5, "hang"], [OK])
    poster = make_poster(timeout=(1.0, 0.3))
    started = time.monotonic()
    assert post(poster, server).status == 200
    assert time.monotonic() - started < 1
    assert post(poster, server).head == b"ok"


def test_nobody_listens(serve, poster):
    server = serve([OK])
    server.close()
    assert post(poster, server).error == "the connection was refused"


@pytest.mark.parametrize("url", ["", "receiver.test/hook", "ftp://127.0.0.1/", "http://", "http://[::1", "http://a b/"])
def test_a_text_that_is_not_a_url_is_an_error_not_an_exception(poster, url):
    sent = poster.post(url, {}, b"{}")
    assert sent.status is None
    assert sent.error


def test_duration_is_in_milliseconds(serve, poster):
    server = serve([0.05, OK])
    assert 45 <= post(poster, server).duration < 1000


def test_an_adapter_may_refuse_addresses(make_poster):
    class Refusing:
        def send(self, *_args, **_options):
            raise OSError("this address is not allowed")

        def close(self):
            pass

    assert "this address is not allowed" in make_poster(adapter=Refusing).post("http://127.0.0.1/", {}, b"").error


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "receiver.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_tls_is_verified_and_bounded_as_well(serve, make_poster, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrap(connection):
        return context.wrap_socket(connection, server_side=True)

    server = serve([OK], [b"HTTP/1.1 200 OK\r\nX-Slow: ", *[0.1, b"z"] * 20], wrap=wrap)
    url = f"https://127.0.0.1:{server.port}/"
    assert make_poster().post(url, {}, b"").error.startswith("its certificate is not trusted")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    poster = make_poster(timeout=(1.0, 0.3))
    assert poster.post(url, {}, b"{}").head == b"ok"
    started = time.monotonic()
    assert poster.post(url, {}, b"{}").error == "no answer within 0.3 s"
    assert time.monotonic() - started < 1
