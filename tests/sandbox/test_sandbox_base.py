"""The sandbox base: a provider in a few lines, and the framework's own parts against it."""

from __future__ import annotations

import doctest
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client as Browser

from connectory import deletes
from connectory import sandbox as base
from connectory.errors import AuthenticationError, ConnectoryError, ConsentRefusedError, RetryLaterError
from connectory.http import Client
from connectory.instances.login.consent import AuthorizationFlow
from connectory.model import OAuth2, Page, Pkce, Query, Request
from connectory.paging import CursorInBody, Keyset, NextLinkInBody, NextLinkInHeader, Offset, PageNumber
from connectory.sandbox import (
    Authority,
    CursorPages,
    Fault,
    KeysetPages,
    Kind,
    LinkedPages,
    NumberedPages,
    OAuth2Server,
    OAuthClient,
    OffsetPages,
    Provider,
    Sandbox,
    Switches,
    Table,
    api_key,
    basic,
    changed,
    counted_id,
    json_reply,
    switches,
)
from connectory.sandbox.lists import table
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions

HOST = "127.0.0.1:8090"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
CALLBACK = "http://127.0.0.1:5000/done"


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def fake(clock):
    """Orders behind an OAuth2 server."""
    fake = Sandbox(clock=clock)
    fake.oauth = OAuth2Server(authority=Authority(clock=fake.clock))
    assert fake.oauth.client
    orders = fake.table(
        "orders", sample=lambda random, number: {"name": f"Order {number}"}, filled=25, new_id=counted_id
    )
    fake.resource("/api/orders", orders, NumberedPages(size="per_page"), records="items")
    return fake


def open_to_all(**style_of) -> Sandbox:
    fake = Sandbox(clock=ManualClock(NOON))
    things = fake.table("things", new_id=counted_id)
    for number in range(style_of.pop("length", 0)):
        things.insert({}, at=NOON + timedelta(seconds=number // 4))
    fake.list("/things", things, style_of["style"], records=style_of.get("records", "items"))
    return fake


def call(fake, path, method="GET", **more):
    return Browser(fake).open(path, method=method, buffered=True, **more)


def flow(fake, clock, **oauth) -> AuthorizationFlow:
    host = f"http://{HOST}"
    settings = {
        "authorize_url": f"{host}/oauth/authorize",
        "token_url": f"{host}/oauth/token",
        "pkce": Pkce.OFF,
    } | oauth
    return AuthorizationFlow(
        oauth=OAuth2(**settings),
        config=fake.configuration(host) | {"oauth.callback.url": CALLBACK},
        now=clock,
        sessions=wsgi_sessions({HOST: fake}),
    )


def log_in(fake, clock, **oauth):
    login = flow(fake, clock, **oauth)
    return login.finish(fake.consent(login.start().url))


# Tables


def test_a_table_stamps_what_is_written(clock):
    things = Table(clock=base.Clock(clock), new_id=counted_id)
    assert things.insert({"n": 1}) == {
        "id": "1",
        "n": 1,
        "created_at": "2024-05-01T12:00:00Z",
        "updated_at": "2024-05-01T12:00:00Z",
    }
    clock.advance(5)
    assert things.update("1", {"n": 2})["updated_at"] == "2024-05-01T12:00:05Z"
    assert things.get("1")["created_at"] == "2024-05-01T12:00:00Z"
    assert things.delete("1")["deleted_at"] == "2024-05-01T12:00:05Z"
    assert (things.get("1"), things.rows(), [row["n"] for row in things.gone()]) == (None, [], [2])


def test_a_record_may_bring_its_own_id_and_stamps(clock):
    things = Table(clock=base.Clock(clock), created=None)
    row = things.insert({"id": "x", "updated_at": "1999"})
    assert row == {"id": "x", "updated_at": "1999"}
    with pytest.raises(ValueError, match="record x exists already"):
        things.insert({"id": "x"})
    with pytest.raises(KeyError):
        things.update("y", {})


def test_writes_become_visible_after_their_stamp(clock):
    things = Table(clock=base.Clock(clock), commit_delay=10, new_id=counted_id)
    things.insert({"n": 1})
    assert things.rows() == []
    clock.advance(10)
    assert [row["n"] for row in things.rows()] == [1]
    things.update("1", {"n": 2})
    assert things.get("1")["n"] == 1
    clock.advance(9)
    things.commit_delay = 0
    things.update("1", {"n": 3})
    clock.advance(9)
    assert things.get("1")["n"] == 3


def test_rows_stand_in_the_order_of_their_creation(clock):
    things = Table(clock=base.Clock(clock), new_id=counted_id, commit_delay=20)
    things.insert({})
    things.commit_delay = 0
    things.insert({})
    clock.advance(30)
    assert [row["id"] for row in things.rows()] == ["1", "2"]


def test_the_same_seed_makes_the_same_records():
    def ids(seed):
        fake = Sandbox(clock=ManualClock(NOON), seed=seed)
        fake.table("a", sample=lambda random, number: {"n": random.random()}, filled=3)
        return [fake.step() for _ in range(10)], fake.tables["a"].rows()

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


# Paging: each paginator of the framework against its mirror

PAIRS = {
    "offset": (Offset(most=10), OffsetPages(most=10)),
    "offset that counts": (Offset(total=deletes.total_in_body("total")), OffsetPages(most=3)),
    "offset that counts in a header": (
        Offset(total=deletes.total_in_header("X-Total")),
        OffsetPages(total=None, total_header="X-Total"),
    ),
    "page number": (PageNumber(), NumberedPages()),
    "page number from 0": (PageNumber(first=0), NumberedPages(first=0)),
    "page number that repeats": (PageNumber(repeats_last_page=True), NumberedPages(repeats_last_page=True, total=None)),
    "cursor": (CursorInBody(cursor="meta.next", size="limit"), CursorPages(cursor="meta.next")),
    "cursor with a flag": (CursorInBody(cursor="c", size="limit", more="m"), CursorPages(cursor="c", more="m")),
    "link in a header": (NextLinkInHeader(size="limit"), LinkedPages()),
    "link in the body": (NextLinkInBody(link="links.next", size="limit"), LinkedPages(link="links.next")),
    "relative link": (NextLinkInBody(link="next", size="limit"), LinkedPages(link="next", relative=True)),
    "keyset": (Keyset(after_updated="after_updated", after_id="after_id", size="limit"), KeysetPages()),
    "keyset by id": (Keyset(after_id="after_id", size="limit"), KeysetPages(after_updated=None)),
    "keyset by stamp": (Keyset(after_updated="since", size="limit"), KeysetPages(after_id=None, after_updated="since")),
}


def walk(fake: Sandbox, paginator, size: int) -> list[str]:
    client = Client(base_url=f"http://{HOST}", sessions=wsgi_sessions({HOST: fake}))
    shown: list[str] = []
    steps = paginator.walk(Request(path="/things"), Query(page_size=size))
    request = next(steps)
    while True:
        response = client.send(request)
        rows = json.loads(response.body)["items"]
        shown += [row["id"] for row in rows]
        places = [(row["id"], row["updated_at"]) for row in rows]
        last = places[-1] if places else None
        try:
            request = steps.send(Page(response=response, rows=len(rows), last=last, places=lambda p=places: p))
        except StopIteration:
            return shown


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("length", [0, 1, 5, 11])
def test_paginators_walk_their_mirror(name, length):
    paginator, style = PAIRS[name]
    shown = walk(open_to_all(style=style, length=length), paginator, 5)
    assert sorted(set(shown), key=int) == [str(number + 1) for number in range(length)]
    if name not in {"page number that repeats", "keyset by stamp"}:
        assert len(shown) == length


@given(length=st.integers(0, 40), size=st.integers(5, 12), name=st.sampled_from(sorted(PAIRS)))
@settings(max_examples=30, deadline=None)
def test_paginators_walk_lists_of_any_length(length, size, name):
    paginator, style = PAIRS[name]
    assert len(set(walk(open_to_all(style=style, length=length), paginator, size))) == length


def test_a_link_to_the_next_page_shows_no_key():
    fake = open_to_all(style=LinkedPages(link="next"), length=5)
    link = call(fake, "/things?limit=2&api_key=k3y&name=x").json["next"]
    assert "k3y" not in link
    assert "name=x" in link


def test_a_list_may_be_the_whole_body():
    assert call(open_to_all(style=OffsetPages(), length=2, records=""), "/things").json[1]["id"] == "2"


@pytest.mark.parametrize("query", ["limit=x", "cursor=zzz", "cursor=bm8="])
def test_what_makes_no_sense_is_refused(query):
    assert call(open_to_all(style=CursorPages()), f"/things?{query}").status_code == 400


# Records over HTTP


def test_a_resource_is_written_and_read(fake, clock):
    headers = {"Authorization": f"Bearer {log_in(fake, clock).access_token.reveal()}"}
    created = call(fake, "/api/orders", "POST", json={"name": "New", "id": "77", "updated_at": "x"}, headers=headers)
    assert (created.status_code, created.json["id"], created.json["updated_at"]) == (201, "26", "2024-05-01T12:00:00Z")
    assert call(fake, "/api/orders/26", headers=headers).json["name"] == "New"
    assert call(fake, "/api/orders/26", "PUT", json={"name": "Old"}, headers=headers).json["name"] == "Old"
    assert call(fake, "/api/orders/26", "PATCH", json={"name": "Odd"}, headers=headers).json["name"] == "Odd"
    assert call(fake, "/api/orders/26", "DELETE", headers=headers).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        assert call(fake, "/api/orders/26", method, json={}, headers=headers).status_code == 404
    assert call(fake, "/api/orders", "POST", data="a=1", headers=headers).status_code == 415
    assert (
        call(fake, "/api/orders", "POST", data="[]", content_type="application/json", headers=headers).status_code
        == 400
    )
    assert (
        call(fake, "/api/orders", "POST", data="{", content_type="application/json", headers=headers).status_code == 400
    )
    assert call(fake, "/api/nothing", headers=headers).status_code == 404
    assert call(fake, "/api/orders", "DELETE", headers=headers).status_code == 405


def test_errors_are_in_the_providers_words(fake):
    fake.error_body = lambda error: [{"text": error.message}]
    assert call(fake, "/api/orders").json == [{"text": "the access token is missing, unknown or expired"}]


@pytest.mark.parametrize(
    ("check", "path", "headers", "status"),
    [
        (api_key("k", header="X-Key"), "/things", {"X-Key": "k"}, 200),
        (api_key("k", header="X-Key"), "/things", {"X-Key": "j"}, 401),
        (api_key("k", query="key"), "/things?key=k", {}, 200),
        (api_key("k", query="key"), "/things", {}, 401),
        (basic({"ann": "pw"}), "/things", {"Authorization": "Basic YW5uOnB3"}, 200),
        (basic({"ann": "pw"}), "/things", {"Authorization": "Basic YW5uOm5v"}, 401),
        (basic({"ann": "pw"}), "/things", {}, 401),
    ],
)
def test_other_logins(check, path, headers, status):
    fake = open_to_all(style=OffsetPages())
    fake.authenticate = check
    assert call(fake, path, headers=headers).status_code == status


# OAuth2: the framework's own flow against the server


def test_a_login_from_the_page_to_the_api(fake, clock):
    token = log_in(fake, clock)
    assert token.expires_at == NOON + timedelta(hours=1)
    headers = {"Authorization": f"Bearer {token.access_token.reveal()}"}
    reply = call(fake, "/api/orders?per_page=10&page=3", headers=headers)
    assert (reply.json["total"], len(reply.json["items"])) == (25, 5)
    assert reply.headers["Date"] == "Wed, 01 May 2024 12:00:00 GMT"
    entry = fake.log.of("/api/orders")[-1]
    assert (entry.user, entry.rows, dict(entry.params)) == ("sandbox", 5, {"per_page": "10", "page": "3"})
    clock.advance(3600)
    assert call(fake, "/api/orders", headers=headers).status_code == 401


def test_a_refusal_comes_back(fake, clock):
    login = flow(fake, clock)
    answer = base.consent(fake, login.start().url, username="sandbox", password="sandbox", answer="deny")
    with pytest.raises(ConsentRefusedError):
        login.finish(answer)


def test_a_wrong_password_is_asked_for_again(fake, clock):
    with pytest.raises(RuntimeError, match="still asks for more"):
        base.consent(fake, flow(fake, clock).start().url, username="sandbox", password="wrong")


@pytest.mark.parametrize("way", ["basic", "body"])
@pytest.mark.parametrize("accepted", ["both", "basic", "body"])
def test_clients_identify_themselves_as_the_server_wants(fake, clock, way, accepted):
    fake.oauth.switches = changed(fake.oauth.switches, {"client_auth": accepted})
    if accepted in {way, "both"}:
        assert log_in(fake, clock, client_auth=way).refresh_token
    else:
        with pytest.raises(AuthenticationError, match="invalid_client"):
            log_in(fake, clock, client_auth=way)


@pytest.mark.parametrize(
    ("old_refresh", "replay_works", "new_one_lives"),
    [("refused", False, True), ("accepted", True, True), ("revokes", False, False)],
)
def test_what_becomes_of_a_refresh_token_that_was_replaced(fake, clock, old_refresh, replay_works, new_one_lives):
    fake.oauth.switches = changed(fake.oauth.switches, {"old_refresh": old_refresh})
    login = flow(fake, clock)
    old = log_in(fake, clock)
    new = login.endpoint.refresh(old)
    assert new.refresh_token != old.refresh_token
    assert works(lambda: login.endpoint.refresh(old)) is replay_works
    assert works(lambda: login.endpoint.refresh(new)) is new_one_lives


def works(action) -> bool:
    try:
        action()
    except ConnectoryError:
        return False
    return True


def test_refresh_tokens_may_stay_and_not_be_repeated(fake, clock):
    fake.oauth.switches = changed(fake.oauth.switches, {"rotate_refresh": False, "repeats_refresh_token": False})
    login, old = flow(fake, clock), log_in(fake, clock)
    assert login.endpoint.refresh(old).refresh_token == old.refresh_token


def test_codes_are_good_once_and_for_a_while(fake, clock):
    def code() -> str:
        return parse_qs(urlsplit(fake.consent(flow(fake, clock).start().url)).query)["code"][0]

    once = code()
    assert works(lambda: flow(fake, clock).endpoint.exchange_code(once))
    assert not works(lambda: flow(fake, clock).endpoint.exchange_code(once))
    late = code()
    clock.advance(60)
    assert not works(lambda: flow(fake, clock).endpoint.exchange_code(late))


@pytest.mark.parametrize("pkce", ["off", "allowed", "required"])
@pytest.mark.parametrize("client", [Pkce.OFF, Pkce.REQUIRED])
def test_pkce(fake, clock, pkce, client):
    fake.oauth.switches = changed(fake.oauth.switches, {"pkce": pkce})
    refused = pkce == "required" and client is Pkce.OFF
    assert works(lambda: log_in(fake, clock, pkce=client)) is not refused


def test_a_code_with_a_challenge_needs_its_verifier(fake, clock):
    url = flow(fake, clock, pkce=Pkce.REQUIRED).start().url
    code = parse_qs(urlsplit(fake.consent(url)).query)["code"][0]
    assert not works(lambda: flow(fake, clock).endpoint.exchange_code(code))


def test_other_grants_are_switched_on(fake, clock):
    assert tokens(fake).json["error"] == "unsupported_grant_type"
    fake.oauth.switches = changed(fake.oauth.switches, {"grants": ["password", "client_credentials"]})
    assert "refresh_token" in tokens(fake).json
    assert tokens(fake, password="x").json["error"] == "invalid_grant"
    own = tokens(fake, grant_type="client_credentials")
    assert "refresh_token" not in own.json
    assert call(fake, "/api/orders", headers={"Authorization": f"Bearer {own.json['access_token']}"}).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"client_id": "other"}, 400),
        ({"redirect_uri": "javascript:alert(1)"}, 400),
        ({"redirect_uri": ""}, 400),
        ({"response_type": "token"}, 302),
        ({}, 200),
    ],
)
def test_the_authorize_page_looks_at_who_asks(fake, change, status):
    query = {"client_id": "sandbox-client", "redirect_uri": CALLBACK, "response_type": "code"} | change
    assert call(fake, "/oauth/authorize", query_string=query).status_code == status


def test_registered_addresses_are_exact(fake):
    fake.oauth.authority.register(OAuthClient(client_id="app", redirect_uris=(CALLBACK,)))
    query = {"client_id": "app", "response_type": "code"}
    assert call(fake, "/oauth/authorize", query_string=query | {"redirect_uri": CALLBACK}).status_code == 200
    assert call(fake, "/oauth/authorize", query_string=query | {"redirect_uri": CALLBACK + "/"}).status_code == 400


def test_a_revoked_refresh_token_is_gone(fake, clock):
    token = log_in(fake, clock)
    call(fake, "/oauth/revoke", "POST", data={"token": token.refresh_token.reveal()})
    assert not works(lambda: flow(fake, clock).endpoint.refresh(token))


KEYS = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
PERSON = {"grant_type": "password", "username": "sandbox", "password": "sandbox"}


def tokens(fake, **form):
    return call(fake, "/oauth/token", "POST", data=KEYS | PERSON | form)


def test_a_live_token_may_be_handed_out_again(fake, clock):
    habits = {"grants": ["password", "refresh_token", "client_credentials"], "rotate_refresh": False}
    fake.oauth.switches = changed(fake.oauth.switches, habits | {"same_token_while_live": True})
    first = tokens(fake).json
    clock.advance(1000)
    refreshed = tokens(fake, grant_type="refresh_token", refresh_token=first["refresh_token"]).json
    assert (refreshed["access_token"], refreshed["expires_in"]) == (first["access_token"], 2600)
    again = tokens(fake).json
    assert again == first
    clock.advance(3600)
    assert tokens(fake).json["access_token"] != first["access_token"]
    own = [tokens(fake, grant_type="client_credentials").json["access_token"] for _ in range(2)]
    assert own[0] == own[1]
    fake.oauth.switches = changed(fake.oauth.switches, {"same_token_while_live": False})
    assert tokens(fake).json["access_token"] != tokens(fake).json["access_token"]


def test_where_the_parameters_of_a_token_request_belong(fake):
    fake.oauth.switches = changed(fake.oauth.switches, {"grants": ["password"]})
    asked = {"query_string": KEYS | PERSON}
    assert call(fake, "/oauth/token", "POST", **asked).json["error"] == "invalid_request"
    fake.oauth.switches = changed(fake.oauth.switches, {"body_only": False})
    assert "access_token" in call(fake, "/oauth/token", "POST", **asked).json


def test_a_challenge_without_a_method_is_not_plain_where_plain_is_off(fake, clock):
    asked = {"client_id": "sandbox-client", "redirect_uri": CALLBACK, "response_type": "code", "code_challenge": "x"}

    def exchanged():
        landed = fake.consent(f"http://{HOST}/oauth/authorize?{urlencode(asked)}")
        code = parse_qs(urlsplit(landed).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": "x"}
        return call(fake, "/oauth/token", "POST", data=KEYS | form).status_code

    assert exchanged() == 400
    fake.oauth.switches = changed(fake.oauth.switches, {"pkce_plain": True})
    assert exchanged() == 200


class Members(Authority):
    """People have numbers, and may be sent away."""

    def log_in(self, user, password):
        return "7" if (user, password) == ("ann@example.com", "secret") else ""

    def is_active(self, user):
        return user == "7" and "ann@example.com" in self.people

    def user_for(self, client):
        return "7"


def test_a_provider_has_people_and_pages_of_its_own(fake, clock):
    people = {"ann@example.com": "secret"}
    members = Members(clock=fake.clock, people=people)
    members.switches = changed(members.switches, {"grants": ["authorization_code", "client_credentials"]})
    fake.oauth = OAuth2Server(authority=members, user_field="mail", password_field="pass", guard_field="ck")
    assert fake.oauth.client
    url = flow(fake, clock).start().url
    page = call(fake, f"{urlsplit(url).path}?{urlsplit(url).query}").text
    assert 'name="mail"' in page
    assert 'name="pass"' in page
    token = log_in(fake, clock).access_token.reveal()
    assert members.user_of(token) == "7"
    assert members.user_of(tokens(fake, grant_type="client_credentials").json["access_token"]) == "7"
    people.clear()
    assert members.user_of(token) == ""


@dataclass(frozen=True, kw_only=True)
class Corrected(OAuthClient):
    def redirect_for(self, wanted):
        return self.redirect_uris[0]


def test_a_provider_may_send_a_code_elsewhere(fake):
    fake.oauth.authority.register(Corrected(client_id="app", redirect_uris=(CALLBACK,)))
    asked = {"client_id": "app", "response_type": "code", "redirect_uri": "http://127.0.0.1:1/", "state": "s"}
    assert fake.consent(f"http://{HOST}/oauth/authorize?{urlencode(asked)}").startswith(f"{CALLBACK}?code=")


# Faults


def client_of(fake, clock, **more):
    from connectory.auth import BearerAuth
    from connectory.instances.login.account import GivenToken

    auth = BearerAuth(GivenToken(log_in(fake, clock)))
    return Client(base_url=f"http://{HOST}/api", auth=auth, sessions=wsgi_sessions({HOST: fake}), **more)


@pytest.mark.parametrize(
    ("fault", "error", "wait"),
    [
        ("rate_limited", RetryLaterError, 30),
        ("rate_limited=7", RetryLaterError, 7),
        ("rate_limited=date", RetryLaterError, 30),
        ("rate_limited=bare", RetryLaterError, None),
        ("server_error", RetryLaterError, None),
        ("server_error=504", RetryLaterError, None),
        ("unavailable", RetryLaterError, None),
        ("bad_gateway", RetryLaterError, None),
        ("unauthorized", AuthenticationError, None),
        ("forbidden", ConnectoryError, None),
        ("dropped", RetryLaterError, None),
    ],
)
def test_faults_by_name(fake, clock, fault, error, wait):
    client = client_of(fake, clock)
    fake.break_with([fault])
    with pytest.raises(error) as caught:
        client.send(Request(path="/orders"))
    assert getattr(caught.value, "retry_after", None) == wait
    assert fake.log.entries[-1].faults == (fault.partition("=")[0],)


def test_faults_that_do_damage(fake, clock):
    client = client_of(fake, clock)
    whole = client.send(Request(path="/orders")).body
    fake.faults.script(["cut_json=0.5", "empty_page", "hidden_rows=1", "login_html", "slow=0", None])
    assert client.send(Request(path="/orders")).body == whole[: len(whole) // 2]
    for _ in range(2):
        page = json.loads(client.send(Request(path="/orders")).body)
        assert (page["total"], page["items"]) == (25, [])
    assert client.send(Request(path="/orders")).content_type == "text/html"
    assert client.send(Request(path="/orders")).body == whole
    assert fake.faults.waiting() == 1


def test_faults_of_the_token_endpoint(fake, clock):
    login, token = flow(fake, clock), log_in(fake, clock)
    fake.faults.script(["token_error", "token_error=503", "lost_refresh_token"])
    assert fake.faults.draw("api") == ()
    for error in (RetryLaterError, RetryLaterError, AuthenticationError):
        with pytest.raises(error):
            login.endpoint.refresh(token)


def test_a_reply_that_never_arrives_has_used_up_the_refresh_token(fake, clock):
    login, token = flow(fake, clock), log_in(fake, clock)
    fake.faults.script(["lost_refresh_token=reply"])
    with pytest.raises(RetryLaterError):
        login.endpoint.refresh(token)
    with pytest.raises(AuthenticationError):
        login.endpoint.refresh(token)


def test_random_faults_come_again_with_the_same_seed(fake):
    def drawn(seed):
        fake.faults.random(0.4, ["server_error", "unavailable"], seed)
        return [fake.faults.draw("api") for _ in range(50)]

    first = drawn(3)
    assert first == drawn(3)
    assert first != drawn(4)
    assert 5 < sum(bool(faults) for faults in first) < 35


def test_unknown_faults_are_named(fake):
    with pytest.raises(ValueError, match="'fire' is not a known fault; the known ones are rate_limited"):
        fake.break_with(["fire"])


def test_a_sandbox_may_have_faults_of_its_own():
    kinds = {"lapsed": Kind(description="no subscription", instead=lambda fault, error, now: error(402, "pay first"))}
    fake = Sandbox(clock=ManualClock(NOON), kinds=kinds)
    fake.break_with(["lapsed"])
    assert call(fake, "/").json["error"]["message"] == "pay first"


def test_a_fault_may_strike_where_its_kind_does_not(fake):
    fake.faults.script([Fault("unavailable", at="token")])
    assert fake.faults.draw("api") == ()
    assert tokens(fake).status_code == 503


def test_flaws_come_before_the_last_word_and_damage_after_it(fake):
    def shout(reply, _call):
        reply.set_data(reply.get_data().upper())
        reply.headers["X-Length"] = str(len(reply.get_data()))

    whole = call(fake, "/api/orders").data
    fake.finish = shout
    fake.break_with(["cut_json=0.5", "dropped", "slow=0"])
    reply = call(fake, "/api/orders")
    length = len(whole) // 2
    assert reply.headers["Content-Length"] == reply.headers["X-Length"] == str(length)
    assert reply.data == whole.upper()[: length // 2]


class Tired(Sandbox):
    def lasting(self, request):
        return [Fault("unavailable")] if self.switches.commit_delay else []


def test_switches_may_bring_faults_about_everywhere(clock):
    fake = Tired(clock=clock, switches=Switches(commit_delay=1))
    fake.oauth = OAuth2Server(authority=Authority(clock=fake.clock))
    fake.faults.script(["server_error"])
    for path in ("/orders", "/oauth/authorize", "/oauth/token", "/oauth/revoke"):
        assert call(fake, path).status_code == 503
    assert fake.log.entries[-1].faults == ("unavailable",)
    fake.switches = Switches()
    assert call(fake, "/orders").status_code == 500


# People, switches, control


def test_people_make_one_change_at_a_time(fake, clock):
    before = {row["id"]: row for row in fake.tables["orders"].rows()}
    clock.advance(60)
    said = [fake.step() for _ in range(30)]
    assert {line.split()[0] for line in said} == {"created", "updated"}
    after = fake.tables["orders"].rows()
    assert len(after) == 25 + sum(line.startswith("created") for line in said)
    changed_ids = {row["id"] for row in after if before.get(row["id"]) != row}
    assert changed_ids == {line.split()[2] for line in said}


def test_a_sandbox_where_nobody_works_says_so():
    with pytest.raises(RuntimeError, match="has nothing to do"):
        Sandbox().step()
    with pytest.raises(RuntimeError, match="no OAuth2 server"):
        Sandbox().consent("http://127.0.0.1/")


def test_lists_move_while_they_are_read(fake, clock):
    fake.switches = Switches(steps_per_call=2)
    call(fake, "/api/orders")
    assert fake.steps == 2


def test_commit_delay_is_a_switch_of_all_tables(fake, clock):
    fake.switches = Switches(commit_delay=5)
    fake.tables["orders"].insert({})
    assert len(fake.tables["orders"].rows()) == 25


def test_other_processes_drive_a_sandbox(fake, clock):
    def control(path, method="GET", **body):
        reply = call(fake, f"/_sandbox/{path}", method, json=body or None)
        return reply.json if reply.status_code == 200 else reply.status_code

    log_in(fake, clock)
    assert control("state")["tables"] == {"orders": 25}
    assert len(control("steps", "POST", count=3)["steps"]) == 3
    made = control("records/orders", "POST", name="X", at="2020-01-01T00:00:00Z")["record"]
    assert made["created_at"] == "2020-01-01T00:00:00Z"
    assert control(f"records/orders/{made['id']}", "PATCH", name="Y")["record"]["name"] == "Y"
    assert control(f"records/orders/{made['id']}", "DELETE")["deleted"]["deleted_at"]
    assert made["id"] not in [row["id"] for row in control("records/orders")["records"]]
    assert control("switches")["oauth"]["access_ttl"] == 3600
    assert control("switches", "PUT", commit_delay=2, oauth={"access_ttl": 5})["oauth"]["access_ttl"] == 5
    assert fake.switches.commit_delay == 2
    assert control("clock", "POST", advance=60)["now"].startswith("2024-05-01T12:01:00")
    assert control("clock", "POST", set="2024-06-01T00:00:00Z", freeze=True)["now"].startswith("2024-06-01")
    assert control("faults", "PUT", script=["empty_page", None], always=["slow=0"], random={"rate": 0})["waiting"] == 2
    assert "hidden_rows" in control("faults")["kinds"]
    assert control("tokens", "DELETE", kind="all")["expired"] == 2
    assert control("log")["requests"][-1]["path"] == "/oauth/token"
    assert control("log", "DELETE") == {}
    assert control("log", count=1)["requests"] == []
    for path, method, body in [
        ("nothing", "GET", {}),
        ("records/nothing", "GET", {}),
        ("records/orders/none", "DELETE", {}),
    ]:
        assert control(path, method, **body) == 404
    assert control("switches", "PUT", nonsense=1) == 400
    assert control("faults", "PUT", always=["fire"]) == 400


class Shelf(Provider):
    """A provider with a store of its own: names by number, each with who wrote it."""

    how = ("by",)

    def __init__(self, clock):
        super().__init__(clock=clock)
        self.names, self.told = {}, []
        self.settle = lambda: self.told.append("settled")

    def handle(self, call):
        return json_reply(self.names)

    def make_step(self):
        return f"created shelf {self.insert('shelf', {'name': 'new'})['id']}"

    def records(self, name):
        return list(self.names.values())

    def insert(self, name, values, *, at=None, by="nobody"):
        record = {"id": str(len(self.names)), **values, "by": by, "at": at and at.isoformat()}
        self.names[record["id"]] = record
        return record

    def update(self, name, record_id, values, *, at=None, by="nobody"):
        self.names[record_id] |= {**values, "by": by}
        return self.names[record_id]

    def delete(self, name, record_id, *, at=None, by="nobody"):
        return self.names.pop(record_id)

    def sizes(self):
        return {"shelf": len(self.names)}

    def switched(self):
        self.told.append("switched")


def test_other_processes_drive_a_provider_with_a_store_of_its_own(clock):
    shelf = Shelf(clock)
    stamp = "2020-01-01T00:00:00+00:00"
    made = call(shelf, "/_sandbox/records/shelf", "POST", json={"name": "Ann", "by": "bob", "at": stamp}).json
    assert made["record"] == {"id": "0", "name": "Ann", "by": "bob", "at": stamp}
    changed_now = call(shelf, "/_sandbox/records/shelf/0", "PATCH", json={"name": "Eve", "by": "cat"}).json["record"]
    assert (changed_now["name"], changed_now["by"]) == ("Eve", "cat")
    assert call(shelf, "/_sandbox/steps", "POST").json == {"steps": ["created shelf 1"]}
    assert call(shelf, "/_sandbox/state").json["tables"] == {"shelf": 2}
    assert call(shelf, "/_sandbox/state").json["steps"] == 1
    assert call(shelf, "/_sandbox/records/shelf/0", "DELETE", json={}).json["deleted"]["name"] == "Eve"
    assert call(shelf, "/_sandbox/records/shelf").json["records"] == [shelf.names["1"]]
    assert call(shelf, "/anything").json == shelf.names
    call(shelf, "/_sandbox/switches", "PUT", json={"steps_per_call": 0})
    assert shelf.told == ["settled"] * 9 + ["switched"]


def test_secrets_are_not_in_the_log(fake, clock):
    log_in(fake, clock)
    assert "code" not in {name for entry in fake.log.entries for name in entry.params}


def test_patches_make_lists_tuples_however_deep():
    @dataclass(frozen=True)
    class Groups:
        by_name: dict = field(default_factory=dict)

    assert changed(Groups(), {"by_name": {"a": ["b", ["c"]]}}).by_name == {"a": ("b", ("c",))}


def test_a_reply_may_be_written_already():
    assert json_reply(b'{"a":  1}').get_data() == b'{"a":  1}'
    assert json_reply({"a": 1}).get_data() == b'{"a":1}'


@pytest.mark.parametrize("module", [base, switches, table])
def test_examples_run(module):
    assert doctest.testmod(module).failed == 0
