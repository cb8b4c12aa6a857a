"""The client against real loopback servers that answer byte for byte what a test says."""

from __future__ import annotations

import datetime
import gc
import gzip
import ipaddress
import re
import socketserver
import ssl
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from requests.auth import AuthBase

from connectory import connections, http
from connectory.auth import ApiKeyAuth
from connectory.errors import AuthenticationError, ConfigurationError, ProviderError, RetryLaterError
from connectory.http import Client, PageTooHeavyError, Sessions, encode
from connectory.model import Action, Request, Verdict, judge_by_status, retry_after


def reply(body=b"{}", status="200 OK", **headers):
    lines = {"Content-Length": len(body)} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def chunked(*chunks, **headers):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return reply(b"", Content_Length=None, Transfer_Encoding="chunked", **headers) + body


class Server(socketserver.ThreadingTCPServer):
    """Answers each request with what `answer(request)` returns; `None` is silence until the end."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Connection)
        self.context = context
        self.answer = lambda request: reply()
        self.requests = []
        self.connections = 0
        self.ended = threading.Event()
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass

    def close(self):
        self.ended.set()
        self.shutdown()
        self.server_close()


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def setup(self):
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        if self.server.context:
            self.request.close()

    def handle(self):
        self.server.connections += 1
        while request := self.read():
            self.server.requests.append(request)
            answer = self.server.answer(request)
            if answer is None:
                self.server.ended.wait(20)
                return
            self.wfile.write(answer)
            if b"Connection: close" in answer:
                return

    def read(self):
        head = b"".join(iter(self.rfile.readline, b"\r\n")) if self.rfile.peek(1) else b""
        length = re.search(rb"Content-Length: (\d+)", head)
        return (head + b"\r\n" + self.rfile.read(int(length[1]) if length else 0)).decode("latin-1") if head else ""


@pytest.fixture
def serve():
    servers = []

    def start(answer=None, context=None):
        server = Server(context)
        if answer is not None:
            server.answer = answer if callable(answer) else lambda request: answer
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def sessions():
    sessions = Sessions(use_proxies=False)
    yield sessions
    sessions.close()


@pytest.fixture
def client(sessions):
    return lambda server, **options: Client(
        base_url=server if isinstance(server, str) else server.url, **{"sessions": sessions} | options
    )


def first_line(request):
    return request.partition("\r\n")[0]


# What is sent


def test_an_answer_comes_back_whole(serve, client):
    server = serve(reply(b'{"result": []}', Content_Type="application/json", X_Total_Count="7"))
    response = client(server).send(Request(path="/api/now/table/incident"))
    assert (response.status, response.json(), response.content_type) == (200, {"result": []}, "application/json")
    assert response.headers["x-total-COUNT"] == "7"
    assert response.url == f"{server.url}/api/now/table/incident"


def test_parameters_are_percent_encoded(serve, client):
    server = serve()
    params = (("sysparm_query", "a=1^b>2 +c"), ("é/", "100%&"))
    client(f"{server.url}/base/").send(Request(path="/x", params=params))
    assert first_line(server.requests[0]) == (
        "GET /base/x?sysparm_query=a%3D1%5Eb%3E2%20%2Bc&%C3%A9%2F=100%25%26 HTTP/1.1"
    )


@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_every_parameter_arrives_as_it_was(params):
    assert parse_qsl(encode(params), keep_blank_values=True, strict_parsing=bool(params)) == params


def test_parameters_join_a_query_that_the_path_has_already(serve, client):
    server = serve()
    client(server).send(Request(path="/x?page=2", params=(("size", "5"),)))
    assert first_line(server.requests[0]) == "GET /x?page=2&size=5 HTTP/1.1"


def test_headers_of_the_request_come_before_those_of_the_element(serve, client):
    server = serve()
    client(server, headers=(("Accept", "application/json"), ("X-One", "1"))).send(
        Request(path="/", headers=(("accept", "text/csv"),))
    )
    sent = server.requests[0]
    assert "accept: text/csv" in sent
    assert "application/json" not in sent
    assert "X-One: 1" in sent
    assert "User-Agent: Connectory/" in sent
    assert "Accept-Encoding: gzip\r\n" in sent


def test_a_body_is_sent_with_its_length(serve, client):
    server = serve(reply(status="201 Created"))
    client(server).send(Request(method="POST", path="/", body=b'{"a": 1}'))
    assert server.requests[0].endswith('\r\n\r\n{"a": 1}')
    assert "Content-Type: application/json" in server.requests[0]


def test_a_post_without_a_body_says_so(serve, client):
    server = serve()
    client(server).send(Request(method="POST", path="/"))
    assert "Content-Length: 0" in server.requests[0]


def test_cookies_are_dropped(serve, client):
    server = serve(reply(Set_Cookie="JSESSIONID=1; Path=/"))
    client = client(server)
    for _ in range(2):
        client.send(Request(path="/"))
    assert "ookie" not in server.requests[1]


def test_passwords_in_netrc_are_not_used(serve, client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ann password pw\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve()
    client(server).send(Request(path="/"))
    assert "Authorization" not in server.requests[0]


def test_a_connection_is_used_again(serve, client):
    server = serve()
    client = client(server)
    for _ in range(3):
        client.send(Request(path="/"))
    assert (len(server.requests), server.connections) == (3, 1)


def test_threads_share_connections(serve, client):
    server = serve()
    client = client(server)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            # A new batch of threads' worth of work, one request at a time.
            pool.submit(client.send, Request(path="/")).result()
    assert server.connections == 1


@pytest.mark.parametrize(
    "base_url",
    ["acme.example.com", "ftp://acme.example.com", "https://", "https://acme:99999", "https://ann:s3cret@acme.example"],
)
def test_a_base_url_must_name_a_host_and_nothing_secret(base_url):
    with pytest.raises(ConfigurationError) as caught:
        Client(base_url=base_url)
    assert "s3cret" not in str(caught.value)


def test_a_path_cannot_name_another_host(client):
    with pytest.raises(ConfigurationError, match="does not start with a slash"):
        client("https://acme.example").send(Request(path="@evil.example/"))


# Verdicts


@pytest.mark.parametrize(
    ("verdict", "kind", "text"),
    [
        (Verdict(action=Action.RETRY, reason="busy", retry_after=7.0), RetryLaterError, "busy"),
        (Verdict(action=Action.SHRINK, reason="cut short"), PageTooHeavyError, "cut short"),
        (Verdict(action=Action.FAIL, reason="no such table", hint="look"), ProviderError, "no such table (look)"),
        (Verdict(action=Action.FAIL), ProviderError, "the provider answered 200"),
        (Verdict(action=Action.RENEW, reason="refused"), AuthenticationError, "refused"),
    ],
)
def test_other_verdicts_are_raised(serve, client, verdict, kind, text):
    server = serve()
    with pytest.raises(kind) as caught:
        client(server, judge=lambda response: verdict).send(Request(path="/x", params=(("key", "hidden"),)))
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{urlsplit(server.url).netloc}/x: {text}")
    assert "hidden" not in str(caught.value)
    assert len(server.requests) == 1
    if isinstance(caught.value, ProviderError):
        assert caught.value.provider_status == 200
    if isinstance(caught.value, RetryLaterError):
        assert caught.value.retry_after == verdict.retry_after


def test_an_empty_list_is_handed_on_with_its_verdict(serve, client):
    empty = Verdict(action=Action.EMPTY, reason="no access to any row")
    response, verdict = client(serve(reply(status="404 Not Found")), judge=lambda response: empty).exchange(
        Request(path="/")
    )
    assert (response.status, verdict) == (404, empty)


def test_a_busy_provider_says_when(serve, client):
    with pytest.raises(RetryLaterError) as caught:
        client(serve(reply(status="429 Too Many Requests", Retry_After="30"))).send(Request(path="/"))
    assert (caught.value.retry_after, caught.value.provider_status) == (30.0, 429)


@pytest.mark.parametrize(("status", "wait"), [("429 Too Many Requests", 40.0), ("503 Service Unavailable", None)])
def test_a_limit_that_only_says_when_it_is_reset(serve, client, status, wait):
    with pytest.raises(RetryLaterError) as caught:
        client(serve(reply(status=status, X_RateLimit_Reset="40"))).send(Request(path="/"))
    assert caught.value.retry_after == wait


class Renewable(AuthBase):
    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.rejected = []

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.tokens[0]}"
        return request

    def renew(self, prepared):
        self.rejected.append(prepared.headers["Authorization"])
        return len(self.tokens) > 1 and bool(self.tokens.pop(0))


def only(token):
    return lambda request: reply() if f"Bearer {token}\r\n" in request else reply(status="401 Unauthorized")


def test_a_refused_token_is_renewed_and_the_request_sent_once_more(serve, client):
    server, auth = serve(only("new")), Renewable("old", "new")
    assert client(server, auth=auth).send(Request(path="/")).status == 200
    assert auth.rejected == ["Bearer old"]
    assert len(server.requests) == 2


def test_a_token_that_is_refused_twice_ends_there(serve, client):
    server, auth = serve(only("none")), Renewable("old", "new", "newer")
    with pytest.raises(AuthenticationError, match="refused the access token"):
        client(server, auth=auth).send(Request(path="/"))
    assert len(server.requests) == 2


def test_without_another_token_the_request_is_not_repeated(serve, client):
    server = serve(only("none"))
    with pytest.raises(AuthenticationError):
        client(server, auth=Renewable("only")).send(Request(path="/"))
    assert len(server.requests) == 1


# Redirects


def moved(location, status="302 Found"):
    return reply(b"", status=status, Location=location)


def test_a_redirect_on_the_same_host_is_followed(serve, client):
    server = serve(lambda request: reply(b"[]") if "GET /b%20c?d=1 " in request else moved("/b c?d=1"))
    response = client(server, auth=Renewable("t")).send(Request(path="/a"))
    assert (response.body, response.url) == (b"[]", f"{server.url}/b%20c?d=1")
    assert "Bearer t" in server.requests[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_to_another_host_is_left_to_the_judge(serve, client, scheme):
    other = serve()
    server = serve(moved(other.url.replace("http:", f"{scheme}:")))
    with pytest.raises(ProviderError) as caught:
        client(server, auth=Renewable("t")).send(Request(path="/"))
    assert caught.value.provider_status == 302
    assert (other.connections, len(server.requests)) == (0, 1)


@pytest.mark.parametrize(
    "location", ["https://{host}/", "http://ann@{host}/", "http://{name}:99999/", "//evil.example/"]
)
def test_what_is_not_quite_the_same_host_is_another_one(serve, client, location):
    server = serve()
    host = urlsplit(server.url).netloc
    server.answer = lambda request: moved(location.format(host=host, name="127.0.0.1"))
    with pytest.raises(ProviderError):
        client(server).send(Request(path="/"))
    assert len(server.requests) == 1


def test_redirects_in_a_circle_end(serve, client):
    server = serve(moved("/"))
    with pytest.raises(ProviderError):
        client(server).send(Request(path="/"))
    assert len(server.requests) == 1 + http.MOST_REDIRECTS


def test_what_was_posted_is_not_posted_elsewhere(serve, client):
    server = serve(moved("/other", "307 Temporary Redirect"))
    with pytest.raises(ProviderError):
        client(server).send(Request(method="POST", path="/", body=b"{}"))
    assert len(server.requests) == 1


# Bodies

BIG = b'{"result": [' + b'"0123456789abcdef", ' * 200_000 + b"0]}"


@pytest.mark.parametrize(
    "answer",
    [
        reply(BIG),
        reply(BIG, Content_Encoding="identity"),
        chunked(BIG[:9], BIG[9:3_000_000], BIG[3_000_000:]),
        reply(gzip.compress(BIG), Content_Encoding="gzip"),
        chunked(gzip.compress(BIG), Content_Encoding="GZIP"),
        reply(gzip.compress(BIG[:50_000]) + gzip.compress(BIG[50_000:]), Content_Encoding="gzip"),
        reply(gzip.compress(BIG) + bytes(64), Content_Encoding="x-gzip"),
        reply(BIG, Content_Length=None, Connection="close"),
    ],
    ids=["length", "identity", "chunked", "gzip", "chunked gzip", "two members", "padded", "until the end"],
)
def test_a_body_arrives_as_it_was(serve, client, answer):
    assert client(serve(answer)).send(Request(path="/")).body == BIG


@pytest.mark.parametrize("answer", [reply(BIG), chunked(BIG), reply(gzip.compress(BIG), Content_Encoding="gzip")])
def test_a_body_is_read_in_one_piece(serve, client, answer, monkeypatch):
    reads, read = [], urllib3.HTTPResponse.read
    monkeypatch.setattr(
        urllib3.HTTPResponse, "read", lambda *args, **options: reads.append(1) or read(*args, **options)
    )
    client(serve(answer)).send(Request(path="/"))
    assert len(reads) == 1


def test_an_empty_body_that_is_said_to_be_gzip_is_empty(serve, client):
    server = serve(lambda request: reply(b"", status="204 No Content", Content_Encoding="gzip"))
    assert client(server).send(Request(path="/")).body == b""


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", Content_Length=2_000_000),
        reply(b"x" * 1_000_001),
        chunked(b"x" * 600_000, b"x" * 600_000),
        reply(gzip.compress(bytes(1_000_001)), Content_Encoding="gzip"),
        reply(gzip.compress(bytes(600_000)) * 2, Content_Encoding="gzip"),
        reply(b"x" * 1_000_001, Content_Length=None, Connection="close"),
    ],
    ids=["announced", "length", "chunked", "bomb", "two bombs", "until the end"],
)
def test_a_body_has_a_limit(serve, client, answer):
    server = serve(lambda request: answer if "/big" in request else reply())
    client = client(server, most_body=1_000_000)
    with pytest.raises(PageTooHeavyError, match=r"larger than 0\.9"):
        client.send(Request(path="/big"))
    assert client.send(Request(path="/small")).body == b"{}"


def test_a_body_as_large_as_the_limit_is_read(serve, client):
    server = serve(lambda request: chunked(bytes(1000)) if "/chunked" in request else reply(bytes(1000)))
    client = client(server, most_body=1000)
    for path in ("/", "/chunked", "/"):
        assert len(client.send(Request(path=path)).body) == 1000
    assert server.connections == 1


def test_a_bomb_is_not_inflated_whole():
    bomb = gzip.compress(bytes(50_000_000), 6)
    assert len(connections._inflate(bomb, 1_000_000)) < 12_000_000


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"{}", Content_Length=10, Connection="close"),
        chunked(b"abc")[:-5] + b"\r\nConnection: close",
        reply(gzip.compress(BIG)[:-20], Content_Encoding="gzip"),
        reply(b"this is no gzip", Content_Encoding="gzip"),
        reply(gzip.compress(BIG)[:-4] + b"\0\0\0\0", Content_Encoding="gzip"),
        b"SSH-2.0-OpenSSH\r\nConnection: close\r\n\r\n",
        b"Connection: close",
    ],
    ids=["too short", "chunk cut off", "gzip cut off", "no gzip", "wrong checksum", "no HTTP", "nothing"],
)
def test_a_damaged_answer_may_be_whole_later(serve, client, answer):
    server = serve(answer)
    with pytest.raises(RetryLaterError, match=r"^127\.0\.0\.1:\d+: the (answer is damaged|connection broke)"):
        client(server).send(Request(path="/"))


def test_an_encoding_that_was_not_asked_for(serve, client):
    with pytest.raises(ProviderError, match="compressed with 'br'"):
        client(serve(reply(b"?", Content_Encoding="br"))).send(Request(path="/"))


# Failures on the way


def test_nobody_listens(serve, client):
    server = serve()
    server.close()
    with pytest.raises(RetryLaterError, match=r"^127\.0\.0\.1:\d+: the connection was refused"):
        client(server).send(Request(path="/"))


def test_no_such_host(client):
    with pytest.raises(RetryLaterError, match=r"^no-such-host\.invalid: there is no such host"):
        client("https://no-such-host.invalid").send(Request(path="/"))


def test_silence_has_an_end(serve, client):
    server = serve(lambda request: None)
    with pytest.raises(RetryLaterError, match=r"no answer within 0\.05 s"):
        client(server, timeout=(5, 0.05)).send(Request(path="/"))


def test_silence_within_an_answer_has_an_end(serve, client):
    server = serve(reply(b"{", Content_Length=10))
    with pytest.raises(RetryLaterError, match=r"no answer within 0\.05 s"):
        client(server, timeout=(5, 0.05)).send(Request(path="/"))


def test_no_connection_in_time(client, monkeypatch):
    def connect(*args, **options):
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(RetryLaterError, match="no connection within 3 s"):
        client("https://acme.example", timeout=(3, 9)).send(Request(path="/"))


@pytest.mark.parametrize("auth", [ApiKeyAuth("top-secret", query="key"), Renewable("top-secret")])
@pytest.mark.parametrize("answer", [b"Connection: close", reply(status="500 Oops"), reply(b"", Content_Length=1 << 40)])
def test_no_failure_shows_a_credential(serve, client, auth, answer):
    with pytest.raises(ProviderError) as caught:
        client(serve(answer), auth=auth).send(Request(path="/"))
    assert "top-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_key_with_a_line_break_is_not_sent_and_not_shown(serve, client):
    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        client(serve(), auth=Renewable("top" + "-secret\n")).send(Request(path="/"))
    assert "top-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_key_that_is_not_latin(serve, client):
    with pytest.raises(ConfigurationError, match="cannot be sent"):
        client(serve(), auth=Renewable("ключ")).send(Request(path="/"))


# Proxies


def test_the_proxy_of_the_environment_is_used_and_looked_up_once(serve, monkeypatch):
    proxy = serve(reply(b'"proxied"'))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    lookups, look_up = [], connections.get_environ_proxies
    monkeypatch.setattr(connections, "get_environ_proxies", lambda url: lookups.append(url) or look_up(url))
    sessions = Sessions()
    client = Client(base_url="http://acme.example", sessions=sessions)
    for _ in range(3):
        assert client.send(Request(path="/x")).body == b'"proxied"'
    assert first_line(proxy.requests[0]) == "GET http://acme.example/x HTTP/1.1"
    assert len(lookups) == 1
    direct = serve()
    assert Client(base_url=direct.url, sessions=sessions).send(Request(path="/")).body == b"{}"
    sessions.close()


def test_a_proxy_that_refuses(serve, monkeypatch):
    proxy = serve(reply(status="407 Proxy Authentication Required", Connection="close"))
    monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//ann:s3cret@"))
    monkeypatch.delenv("no_proxy", raising=False)
    sessions = Sessions()
    with pytest.raises(RetryLaterError, match=r"^acme\.example: the proxy refused the connection") as caught:
        Client(base_url="https://acme.example", sessions=sessions).send(Request(path="/"))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    sessions.close()


def test_proxies_can_be_left_aside(serve, monkeypatch, sessions):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert sessions.proxies_for("http://acme.example/") == {}


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for several names of this machine, signed by itself: certificate and key in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    addresses = [x509.IPAddress(ipaddress.ip_address(f"127.0.0.{number}")) for number in range(1, 6)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def secure(serve, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(context=context)


@pytest.fixture
def fresh_contexts(monkeypatch):
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    connections._make_context.cache_clear()
    yield
    connections._make_context.cache_clear()
    gc.collect()


@pytest.mark.usefixtures("fresh_contexts")
def test_one_tls_context_serves_all_hosts_threads_and_sessions(secure, certificate, monkeypatch):
    """requests itself reads the whole bundle of authorities for each host, 15 ms and 0.7 MB each."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    made, loaded = [], []

    class Counting(ssl.SSLContext):
        def __new__(cls, *args, **options):
            made.append(1)
            return super().__new__(cls, *args, **options)

        def load_verify_locations(self, *args, **options):
            loaded.append(1)
            super().load_verify_locations(*args, **options)

    monkeypatch.setattr("urllib3.util.ssl_.SSLContext", Counting)
    port = urlsplit(secure.url).port
    several = [Sessions(use_proxies=False), Sessions(use_proxies=False)]
    # The server listens on 127.0.0.1 only; the client need not know.
    monkeypatch.setattr("urllib3.util.connection.create_connection", _to_loopback)

    def ask(number):
        base_url = f"https://127.0.0.{number % 5 + 1}:{port}"
        return Client(base_url=base_url, sessions=several[number % 2]).send(Request(path="/")).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(20))) == {200}
    assert secure.connections >= 5
    assert (len(made), len(loaded)) == (1, 1)
    for sessions in several:
        sessions.close()


def _to_loopback(address, *args, **options):
    import socket

    return socket.create_connection(("127.0.0.1", address[1]))


@pytest.mark.usefixtures("fresh_contexts")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_ones_own_authorities(secure, certificate, variable, monkeypatch):
    monkeypatch.setenv(variable, str(certificate))
    sessions = Sessions(use_proxies=False)
    assert Client(base_url=secure.url, sessions=sessions).send(Request(path="/")).status == 200
    sessions.close()


@pytest.mark.usefixtures("fresh_contexts")
def test_a_bundle_that_does_not_exist(monkeypatch, client):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    with pytest.raises(ConfigurationError, match=r"^/no/such\.pem: the bundle of trusted certificates cannot be read"):
        client("https://acme.example").send(Request(path="/"))


def test_a_certificate_that_nobody_vouches_for(secure, client):
    with pytest.raises(ProviderError, match=r"its certificate is not trusted: .*self.signed") as caught:
        client(secure).send(Request(path="/"))
    assert not isinstance(caught.value, RetryLaterError)
    assert secure.requests == []


@pytest.mark.usefixtures("fresh_contexts")
def test_a_certificate_for_another_host(secure, certificate, monkeypatch, client):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setattr("urllib3.util.connection.create_connection", _to_loopback)
    with pytest.raises(ProviderError, match="its certificate is not trusted"):
        client(secure.url.replace("127.0.0.1", "127.0.0.9")).send(Request(path="/"))


def test_tls_to_a_plain_server(serve, client, monkeypatch):
    server = serve()
    monkeypatch.setattr(Connection, "read", lambda connection: "at once")
    server.answer = lambda request: b"220 mail ready\r\nConnection: close\r\n"
    with pytest.raises(RetryLaterError, match="no secure connection could be made"):
        client(server.url.replace("http", "https")).send(Request(path="/"))


def test_a_handshake_has_an_end(serve, client):
    with pytest.raises(RetryLaterError, match=r"no connection within 0\.05 s"):
        client(serve().url.replace("http", "https"), timeout=(0.05, 5)).send(Request(path="/"))


# Others


def test_the_number_of_hosts_fits_the_open_files(monkeypatch):
    resource = pytest.importorskip("resource")
    for limit, hosts in ((1024, 512), (65_536, 1000), (resource.RLIM_INFINITY, 1000), (4, 10)):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, limit=limit: (limit, limit))
        assert connections._most_hosts() == hosts


def test_clients_share_their_connections_by_default():
    assert Client(base_url="https://a.example")._sessions is Client(base_url="https://b.example")._sessions


@responses.activate
def test_plugin_authors_may_mock_answers_with_responses():
    responses.get("https://acme.example/x", json={"result": 1}, headers={"Retry-After": "3"})
    response = Client(base_url="https://acme.example").send(Request(path="/x"))
    assert (response.json(), retry_after(response)) == ({"result": 1}, 3.0)
    assert judge_by_status(response).action is Action.ACCEPT
