"""The OAuth2 flow. The traps (a) to (i) of requests-oauthlib have a test each; (b) to (d) are in test_tokens.py."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import logging
import os
import re
import socket
import threading
import traceback
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit
from urllib.request import urlopen

import pytest
import requests
import responses

from connectory.auth import Token
from connectory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConsentRefusedError,
    ProviderError,
    RetryLaterError,
)
from connectory.http import Sessions
from connectory.instances.login.consent import AuthorizationFlow
from connectory.instances.login.loopback import LoopbackListener
from connectory.instances.login.oauthsession import is_loopback
from connectory.model import OAuth2, Pkce
from connectory.secrets import Secret, redactor

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TOKEN_URL = "https://acme.example/oauth_token.do"
CONFIG = {
    "oauth.api.key": "client-1",
    "oauth.api.secret": Secret("s3cret/+ä"),
    "oauth.callback.url": "http://127.0.0.1:8723/callback",
    "oauth.scope": None,
    "username": "must not travel",
}
GRANT = {
    "access_token": "access-new",
    "refresh_token": "refresh-new",
    "token_type": "Bearer",
    "expires_in": 1799,
    "scope": "useraccount",
}
OLD = Token(access_token=Secret("access-old"), refresh_token=Secret("refresh-old"))


@pytest.fixture
def flow():
    def make(config=None, **habits):
        endpoints = {"authorize_url": "https://acme.example/oauth_auth.do", "token_url": TOKEN_URL}
        return AuthorizationFlow(oauth=OAuth2(**endpoints | habits), config=CONFIG | (config or {}), now=lambda: NOON)

    return make


@pytest.fixture
def endpoint():
    """The token endpoint: `endpoint(json, status)` makes it answer; `.sent` is the form that came last."""

    class Endpoint:
        def __init__(self, mock):
            self.mock = mock

        def __call__(self, answer=GRANT, status=200, **options):
            body = {"body": answer} if isinstance(answer, (str, bytes, Exception)) else {"json": answer}
            self.mock.post(TOKEN_URL, status=status, **body | options)
            return self

        @property
        def request(self):
            return self.mock.calls[-1].request

        @property
        def sent(self):
            return dict(parse_qsl(self.request.body, keep_blank_values=True, strict_parsing=True))

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Endpoint(mock)


def basic(request):
    return base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query))


# The consent


def test_where_the_person_is_sent(flow):
    authorization = flow({"oauth.scope": "full_access"}, authorize_params=(("filter", "apiv3.1"),)).start()
    assert authorization.url.startswith("https://acme.example/oauth_auth.do?")
    assert query_of(authorization.url) == {
        "response_type": "code",
        "client_id": "client-1",
        "redirect_uri": "http://127.0.0.1:8723/callback",
        "scope": "full_access",
        "filter": "apiv3.1",
        "state": authorization.state,
    }
    assert "s3cret" not in authorization.url


def test_the_scope_of_the_element_is_the_default(flow):
    assert query_of(flow(scope="readonly").start().url)["scope"] == "readonly"
    assert "scope" not in query_of(flow().start().url)


def test_endpoints_may_depend_on_the_configuration(flow):
    url = flow({"sub": "dev1"}, authorize_url=lambda config: f"https://{config['sub']}.example/auth?a=1").start().url
    assert url.startswith("https://dev1.example/auth?a=1&response_type=code&")


def test_states_are_long_and_different(flow):
    states = {flow().start().state for _ in range(50)}
    assert len(states) == 50
    assert min(map(len, states)) >= 32


def redirect(authorization, **fields):
    return f"http://127.0.0.1:8723/callback?state={authorization.state}&" + "&".join(
        f"{name}={value}" for name, value in fields.items()
    )


def test_a_consent_becomes_a_token(flow, endpoint):
    endpoint()
    consent = flow()
    token = consent.finish(redirect(consent.start(), code="GB%2Fabc"))
    assert endpoint.sent == {
        "grant_type": "authorization_code",
        "code": "GB/abc",
        "redirect_uri": "http://127.0.0.1:8723/callback",
    }
    assert token == Token(
        access_token=Secret("access-new"),
        refresh_token=Secret("refresh-new"),
        token_type="Bearer",
        expires_at=NOON + timedelta(seconds=1799),
        scope="useraccount",
    )


@pytest.mark.parametrize(
    ("written", "code"), [("GB%2Fabc", "GB/abc"), ("GB%252F", "GB%2F"), ("a%25de", "a%de"), ("a+b%2Bc", "a+b+c")]
)
def test_a_code_is_decoded_once(flow, endpoint, written, code):
    endpoint()
    consent = flow()
    consent.finish(redirect(consent.start(), code=written))
    assert endpoint.sent["code"] == code


def test_a_state_is_good_once(flow, endpoint):
    endpoint()
    consent = flow()
    authorization = consent.start()
    consent.finish(redirect(authorization, code="1"))
    with pytest.raises(AuthenticationError, match="used before"):
        consent.finish(redirect(authorization, code="1"))


@pytest.mark.parametrize("state", ["", "wrong", "%C3%A9", "%ED%A0%80"])
def test_a_state_of_another_login_is_refused(flow, endpoint, state):
    consent = flow()
    consent.start()
    with pytest.raises(AuthenticationError, match="belongs to another login"):
        consent.finish(f"http://127.0.0.1:8723/callback?code=1&state={state}")
    assert len(endpoint.mock.calls) == 0


def test_the_state_that_is_asked_for_must_be_the_one_that_came(flow, endpoint):
    endpoint()
    consent = flow()
    mine, other = consent.start(), consent.start()
    with pytest.raises(AuthenticationError, match="belongs to another login"):
        consent.finish(redirect(other, code="1"), mine.state)
    assert consent.finish(redirect(mine, code="1"), mine.state).access_token.reveal() == "access-new"


def test_another_flow_object_may_go_on(flow, endpoint):
    endpoint()
    authorization = flow(pkce=Pkce.REQUIRED).start()
    other = flow(pkce=Pkce.REQUIRED)
    other.resume(authorization)
    other.finish(redirect(authorization, code="1"))
    assert endpoint.sent["code_verifier"] == authorization.code_verifier.reveal()


@pytest.mark.parametrize("code", ["GB/abc", "GB%2Fabc", "  GB%2Fabc\n"])
def test_a_code_may_be_copied_from_the_address_bar(flow, endpoint, code):
    endpoint()
    consent = flow()
    consent.finish(code, consent.start().state)
    assert endpoint.sent["code"] == "GB/abc"
    with pytest.raises(AuthenticationError):
        consent.finish(code)


@pytest.mark.parametrize(
    "form", ["?code=1&state={}", "code=1&state={}", "http://127.0.0.1:1/other?code=1&state={}#_=_"]
)
def test_a_part_of_the_address_will_do(flow, endpoint, form):
    endpoint()
    consent = flow()
    assert consent.finish(form.format(consent.start().state)).access_token


def test_a_refused_consent_says_what_the_provider_said(flow):
    consent = flow()
    with pytest.raises(ConsentRefusedError, match=r"not allowed: access_denied, The user said no") as caught:
        consent.finish(redirect(consent.start(), error="access_denied", error_description="The+user+said+no"))
    assert "on the provider's page" in caught.value.hint


def test_the_wrong_country_has_a_reason(flow):
    consent = flow()
    with pytest.raises(ConsentRefusedError, match="Invalid request, Email already in use"):
        consent.finish(redirect(consent.start(), error="Invalid%20request", reason="Email%20already%20in%20use"))


def test_a_refusal_may_come_without_a_state(flow):
    with pytest.raises(ConsentRefusedError, match="access_denied"):
        flow().finish("http://127.0.0.1:8723/callback?error=access_denied")


def test_a_provider_that_cannot_log_in_now(flow):
    consent = flow()
    with pytest.raises(RetryLaterError, match="temporarily_unavailable"):
        consent.finish(redirect(consent.start(), error="temporarily_unavailable"))


def test_an_answer_without_a_code(flow):
    consent = flow()
    with pytest.raises(AuthenticationError, match="no code"):
        consent.finish(redirect(consent.start(), country="GB"))


# PKCE


def test_pkce_where_it_is_required(flow, endpoint):
    endpoint()
    consent = flow(pkce=Pkce.REQUIRED)
    authorization = consent.start()
    consent.finish(redirect(authorization, code="1"))
    verifier = endpoint.sent["code_verifier"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    sent = query_of(authorization.url)
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (digest, "S256")
    assert 43 <= len(verifier) <= 128
    assert verifier not in repr(authorization)


@pytest.mark.parametrize(
    ("pkce", "config", "used"),
    [
        (Pkce.OFF, {"oauth.pkce": "true", "oauth.api.secret": None}, False),
        (Pkce.OPTIONAL, {}, False),
        (Pkce.OPTIONAL, {"oauth.pkce": "false"}, False),
        (Pkce.OPTIONAL, {"oauth.pkce": "true"}, True),
        (Pkce.OPTIONAL, {"oauth.pkce": True}, True),
        (Pkce.OPTIONAL, {"oauth.api.secret": None}, True),
        (Pkce.REQUIRED, {}, True),
    ],
)
def test_when_pkce_is_used(flow, pkce, config, used):
    authorization = flow(config, pkce=pkce).start()
    assert ("code_challenge" in query_of(authorization.url)) is used
    assert (authorization.code_verifier is not None) is used


# Tokens


def test_a_code_obtained_elsewhere(flow, endpoint):
    endpoint()
    flow().endpoint.exchange_code("GB%2Fabc")
    assert endpoint.sent["code"] == "GB/abc"


def exchange(flow):
    return flow.endpoint.exchange_code("1")


def refresh(flow):
    return flow.endpoint.refresh(OLD)


def password(flow):
    return flow.endpoint.password("änn", Secret("p&w"))


GRANTS = {
    exchange: {"grant_type": "authorization_code", "code": "1", "redirect_uri": "http://127.0.0.1:8723/callback"},
    refresh: {"grant_type": "refresh_token", "refresh_token": "refresh-old"},
    password: {"grant_type": "password", "username": "änn", "password": "p&w"},
}
each_grant = pytest.mark.parametrize(
    ("grant", "fields"), GRANTS.items(), ids=lambda value: getattr(value, "__name__", "")
)


@each_grant
def test_trap_a_a_token_call_sends_only_what_it_needs(flow, endpoint, grant, fields):
    """The library's automatic refresh forwards the arguments of API calls into the body."""
    endpoint()
    grant(flow())
    assert endpoint.sent == fields
    assert endpoint.request.url == TOKEN_URL
    assert basic(endpoint.request) == "client-1:s3cret/+ä"
    assert endpoint.request.headers["Accept"] == "application/json"
    assert endpoint.request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Cookie" not in endpoint.request.headers


@each_grant
def test_the_client_may_identify_itself_in_the_body(flow, endpoint, grant, fields):
    endpoint()
    grant(flow(client_auth="body"))
    assert endpoint.sent == fields | {"client_id": "client-1", "client_secret": "s3cret/+ä"}
    assert "Authorization" not in endpoint.request.headers


@each_grant
@pytest.mark.parametrize("client_auth", ["basic", "body"])
def test_a_public_client_has_no_secret(flow, endpoint, grant, fields, client_auth):
    endpoint()
    grant(flow({"oauth.api.secret": None}, client_auth=client_auth))
    assert endpoint.sent == fields | {"client_id": "client-1"}
    assert "Authorization" not in endpoint.request.headers


def test_a_secret_may_be_plain_text(flow, endpoint):
    endpoint()
    refresh(flow({"oauth.api.secret": "plain"}))
    assert basic(endpoint.request) == "client-1:plain"


def test_passwords_in_netrc_are_not_used(flow, endpoint, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("default login ann password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    endpoint()
    refresh(flow(client_auth="body"))
    assert "Authorization" not in endpoint.request.headers


@pytest.mark.parametrize("enabled_by", [logging.getLogger(), logging.getLogger("requests_oauthlib")])
@pytest.mark.parametrize("grant", GRANTS)
def test_trap_e_nothing_secret_is_logged(flow, endpoint, caplog, grant, enabled_by):
    """At DEBUG the library logs tokens and the client secret. No redaction is installed here."""
    endpoint()
    level = enabled_by.level
    enabled_by.setLevel(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)
    grant(flow(client_auth="body"))
    enabled_by.setLevel(level)
    logged = caplog.text + "".join(str(record.args) for record in caplog.records)
    assert not re.search("access-|refresh-|s3cret|p&w", logged)


def test_what_was_obtained_is_kept_out_of_logs(flow, endpoint):
    endpoint()
    refresh(flow())
    assert (
        redactor.scrub("it was access-new or refresh-new, by s3cret/+ä") == "it was ******** or ********, by ********"
    )


@pytest.mark.parametrize("granted", ["readonly", "read only", "", None, ["a", "b"], "a,b"])
@pytest.mark.parametrize("grant", GRANTS)
def test_trap_g_another_scope_than_was_asked_for_is_fine(flow, endpoint, grant, granted):
    endpoint(GRANT | {"scope": granted})
    expected = " ".join(granted) if isinstance(granted, list) else granted or None
    assert grant(flow({"oauth.scope": "full_access"})).scope == expected


def test_trap_i_the_refresh_token_stays_where_the_reply_has_none(flow, endpoint):
    for reply in ({}, {"refresh_token": None}, {"refresh_token": ""}):
        endpoint({"access_token": "access-new", **reply})
        token = flow().endpoint.refresh(OLD)
        assert (token.access_token.reveal(), token.refresh_token.reveal()) == ("access-new", "refresh-old")
        endpoint.mock.reset()


def test_a_rotated_refresh_token_takes_the_place_of_the_old_one(flow, endpoint):
    endpoint()
    assert flow().endpoint.refresh(OLD).refresh_token.reveal() == "refresh-new"


def test_a_grant_without_a_refresh_token(flow, endpoint):
    endpoint({"access_token": "a"})
    assert exchange(flow()).refresh_token is None


def test_without_a_refresh_token_nothing_is_asked(flow, endpoint):
    with pytest.raises(AuthenticationError, match="no refresh token"):
        flow().endpoint.refresh(Token(access_token=Secret("a")))
    assert len(endpoint.mock.calls) == 0


@pytest.mark.parametrize(
    ("written", "life"),
    [
        (1799, 1799),
        ("1799", 1799),
        ("1799.5", 1799),
        (300.9, 300),
        (None, None),
        ("soon", None),
        (0, None),
        (-1, None),
        (1e300, None),
        ([], None),
        ("nan", None),
    ],
)
def test_the_end_of_a_token_is_absolute_and_counts_from_before_the_request(flow, endpoint, written, life):
    endpoint(GRANT | {"expires_in": written})
    moments = iter([NOON, NOON + timedelta(hours=1)])
    asked = flow()
    asked.now = lambda: next(moments)
    assert refresh(asked).expires_at == (None if life is None else NOON + timedelta(seconds=life))


def test_other_fields_are_kept(flow, endpoint):
    extra = {"refresh_token_expires_in": 2678400, "requested_by_id": "0b1c-uuid"}
    endpoint(GRANT | extra | {"id_token": "signed", "expires_at": 5})
    assert refresh(flow()).extra == extra


# Refusals

ASLEEP = "<html><title>Hibernating Instance</title></html>"
REFUSED = {"error_description": "access_denied", "error": "server_error"}


@pytest.mark.parametrize("grant", GRANTS)
@pytest.mark.parametrize(
    ("answer", "status", "options", "kind", "text"),
    [
        (ASLEEP, 200, {"content_type": "text/html;charset=UTF-8"}, RetryLaterError, "did not answer with a token"),
        (ASLEEP, 401, {"content_type": "text/html"}, RetryLaterError, "did not answer with a token"),
        (ASLEEP, 200, {"content_type": "text/plain"}, RetryLaterError, "did not answer with a token"),
        ("", 200, {}, RetryLaterError, "did not answer with a token"),
        ("access_token=a", 200, {}, RetryLaterError, "did not answer with a token"),
        ([], 200, {}, RetryLaterError, "did not answer with a token"),
        ({"message": "back soon"}, 200, {}, RetryLaterError, "answered 200"),
        ({"error": "temporarily_unavailable"}, 200, {}, RetryLaterError, "temporarily_unavailable"),
        ({"error": "invalid_grant"}, 200, {}, AuthenticationError, "refused the login: invalid_grant"),
        (REFUSED, 401, {}, AuthenticationError, "refused the login: server_error, access_denied"),
        ({"error": "invalid_grant", "error_description": "Used"}, 400, {}, AuthenticationError, "invalid_grant, Used"),
        ("", 401, {}, AuthenticationError, "refused the login"),
        ([1], 400, {}, AuthenticationError, "refused the login"),
        ({"error": "nope"}, 403, {}, ProviderError, "answered 403: nope"),
        ("{", 404, {}, ProviderError, "answered 404"),
        ("", 500, {}, RetryLaterError, "answered 500"),
        ("", 503, {"headers": {"Retry-After": "7"}}, RetryLaterError, "answered 503"),
        ({"error": "slow"}, 429, {"headers": {"Retry-After": "7"}}, RetryLaterError, "answered 429: slow"),
        (requests.ConnectionError("Connection refused"), 0, {}, RetryLaterError, "the connection broke"),
        (requests.ReadTimeout("secret in the url"), 0, {}, RetryLaterError, "no answer within 30 s"),
    ],
)
def test_refusals(flow, endpoint, grant, answer, status, options, kind, text):
    endpoint(answer, status, **options)
    with pytest.raises(kind, match=text) as caught:
        grant(flow())
    assert type(caught.value) is kind
    assert caught.value.where == "acme.example"
    if "headers" in options:
        assert caught.value.retry_after == 7
    assert not re.search("refresh-old|s3cret|secret in", "".join(traceback.format_exception(caught.value)))


def test_an_instance_that_is_asleep_has_a_hint(flow, endpoint):
    endpoint(ASLEEP, content_type="text/html")
    with pytest.raises(RetryLaterError, match=r"asleep .*open it in a browser"):
        refresh(flow())


def test_the_element_says_when_a_login_is_dead(flow, endpoint):
    endpoint(REFUSED, 401)
    with pytest.raises(ProviderError):
        refresh(flow(is_dead=lambda response: response.status == 400))


def test_an_echoed_secret_is_not_repeated(flow, endpoint):
    endpoint({"error": "invalid_grant", "error_description": "unknown token: refresh-old " + "x" * 1000}, 400)
    redactor.learn("refresh-old")
    with pytest.raises(AuthenticationError) as caught:
        refresh(flow())
    assert "refresh-old" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_secret_does_not_follow_a_redirect(flow, endpoint, status):
    endpoint("", status, headers={"Location": "https://evil.example/token?a=1"})
    endpoint.mock.post("https://evil.example/token", json=GRANT)
    endpoint.mock.get("https://evil.example/token", json=GRANT)
    with pytest.raises(ProviderError, match=r"has moved \(the answer points to https://evil.example/token\)"):
        refresh(flow(client_auth="body"))
    assert len(endpoint.mock.calls) == 1


def test_an_endless_answer_has_a_limit(flow, endpoint):
    endpoint("x" * 1_100_000)
    with pytest.raises(RetryLaterError, match="larger than 1 MB"):
        refresh(flow())


# Plain HTTP


@pytest.mark.parametrize(
    "url", ["http://acme.example/token", "http://127.0.0.1.evil.example/t", "ftp://acme.example", "acme"]
)
def test_plain_http_to_other_machines_is_refused(flow, url):
    for call in (refresh, exchange):
        with pytest.raises(ConfigurationError, match="in clear"):
            call(flow(token_url=url))
    with pytest.raises(ConfigurationError, match="in clear"):
        flow(authorize_url=url).start()


def test_what_is_this_machine():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.9.10", "::1")))
    assert not any(map(is_loopback, ("localhost.evil.example", "10.0.0.1", "0.0.0.0", "2130706433", "")))


@pytest.fixture
def loopback():
    """A token endpoint on this machine; `.requests` holds (Authorization, body)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.requests.append((self.headers["Authorization"], body))
            answer = json.dumps(GRANT).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("grant", GRANTS)
def test_trap_h_plain_http_on_this_machine_needs_no_environment_variable(flow, loopback, grant):
    before = dict(os.environ)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in before
    url = f"http://127.0.0.1:{loopback.server_port}"
    plain = flow(token_url=f"{url}/token?x=https://y", authorize_url=f"{url}/auth?x=https://y")
    plain.sessions = Sessions(use_proxies=False)
    authorization = plain.start()
    assert authorization.url.startswith(f"{url}/auth?")
    assert query_of(authorization.url)["x"] == "https://y"
    assert grant(plain).access_token.reveal() == "access-new"
    assert len(loopback.requests) == 1
    assert dict(os.environ) == before
    plain.sessions.close()


# The listener


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
