"""What is asked of a token endpoint. The traps of requests-oauthlib have letters; (b) to (d) are in test_tokens.py."""

from __future__ import annotations

import http.server
import json
import logging
import os
import re
import threading
from datetime import timedelta

import pytest
from acme import GRANT, GRANTS, NOON, OLD, TOKEN_URL, basic, each_grant, exchange, query_of, refresh

from connectory.auth import Token
from connectory.connections import Sessions
from connectory.errors import (
    AuthenticationError,
    ConfigurationError,
)
from connectory.instances.login.oauthsession import is_loopback
from connectory.secrets import Secret, redactor


def test_a_code_obtained_elsewhere(flow, endpoint):
    endpoint()
    flow().endpoint.exchange_code("GB%2Fabc")
    assert endpoint.sent["code"] == "GB/abc"


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


# Plain HTTP


@pytest.mark.parametrize(
    "url", ["http://acme.example/token", "http://127.0.0.1.evil.example/t", "ftp://acme.example", "acme"]
)
def test_plain_http_to_other_machines_is_refused(flow, url):
    for call in (refresh, exchange):
        with pytest.raises(ConfigurationError, match="without encryption"):
            call(flow(token_url=url))
    with pytest.raises(ConfigurationError, match="without encryption"):
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
