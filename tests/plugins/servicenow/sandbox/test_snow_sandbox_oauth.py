"""The OAuth server: consent pages, every grant, every refusal."""

import base64
import hashlib
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client

from connectory_servicenow.sandbox import OAuthClient, OAuthSwitches

REDIRECT = "http://127.0.0.1:5000/callback"
REFUSED = {"error_description": "access_denied", "error": "server_error"}
KEYS = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


class Browser:
    """A person at the login page."""

    def __init__(self, sandbox):
        self.client = Client(sandbox)

    def open(self, **params):
        query = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": REDIRECT, "state": "s1"}
        return self.client.get("/oauth_auth.do", query_string=query | params)

    def submit(self, page, **values):
        action = re.search(r'action="([^"]*)"', page.text)[1].replace("&amp;", "&")
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        return self.client.post(action, data=hidden | values)

    def consent_page(self, user="admin", **params):
        page = self.open(**params)
        if 'name="user_name"' not in page.text:
            return page
        after = self.submit(page, user_name=user, user_password=user)
        return self.client.get(after.headers["Location"])

    def answer(self, answer="allow", **params):
        reply = self.submit(self.consent_page(**params), answer=answer)
        assert reply.status_code == 302
        return reply.headers["Location"]

    def code(self, **params):
        return parse_qs(urlsplit(self.answer(**params)).query)["code"][0]


@pytest.fixture
def browser(company):
    return Browser(company)


def switch(sandbox, **values):
    sandbox.switches = replace(sandbox.switches, oauth=replace(sandbox.switches.oauth, **values))


def token(browser, grant, **values):
    return browser.client.post("/oauth_token.do", data={"grant_type": grant} | KEYS | values)


def by_code(browser, code=None, **values):
    return token(browser, "authorization_code", code=code or browser.code(), redirect_uri=REDIRECT, **values)


def refused(reply):
    return reply.status_code == 401 and reply.json == REFUSED


def works(browser, access_token):
    headers = {"Authorization": f"Bearer {access_token}"}
    return browser.client.get("/api/now/table/incident?sysparm_limit=1", headers=headers).status_code == 200


def test_consent_brings_a_code_and_the_state(browser):
    url = urlsplit(browser.answer())
    query = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == REDIRECT
    assert query["state"] == ["s1"]
    assert len(query["code"][0]) > 40


def test_pages_have_what_login_robots_look_for(browser):
    login = browser.open()
    for part in ('name="user_name"', 'name="user_password"', 'id="sysverb_login"'):
        assert part in login.text
    consent = browser.consent_page()
    assert 'class="btn btn-primary"' in consent.text
    assert "System Administrator" in consent.text


def test_denial_reaches_the_application(browser):
    assert browser.answer("deny") == f"{REDIRECT}?error=access_denied&state=s1"


def test_wrong_password_stays_at_the_login_page(browser):
    again = browser.submit(browser.open(), user_name="admin", user_password="wrong")
    assert "invalid" in again.text
    assert 'name="user_name"' in again.text


def test_consent_cannot_be_forged(browser):
    page = browser.consent_page()
    action = re.search(r'action="([^"]*)"', page.text)[1].replace("&amp;", "&")
    assert "Allow" in browser.client.post(action, data={"answer": "allow"}).text


def test_missing_state(company, browser):
    assert "Missing State parameter in request" in browser.open(state="").text
    switch(company, state_required=False)
    assert "user_name" in browser.open(state="").text


@pytest.mark.parametrize("params", [{"client_id": "other"}, {"response_type": "token"}])
def test_strangers_get_no_login_page(browser, params):
    assert browser.open(**params).status_code == 400


def test_only_this_machine_when_no_redirect_is_registered(browser):
    assert browser.open(redirect_uri="https://example.com/").status_code == 400


def test_unregistered_redirect_is_replaced_by_the_first(company, browser):
    company.authority.register(OAuthClient(redirect_uris=("https://a.example/cb?x=1", "https://b.example/")))
    assert browser.answer(redirect_uri="https://c.example/").startswith("https://a.example/cb?x=1&code=")
    assert browser.answer("deny", redirect_uri="https://b.example/").startswith("https://b.example/?error=")


def test_code_is_exchanged_once(browser):
    code = browser.code()
    reply = by_code(browser, code).json
    assert {name: reply[name] for name in ("scope", "token_type", "expires_in")} == {
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": 1799,
    }
    assert (len(reply["access_token"]), len(reply["refresh_token"])) == (86, 86)
    assert works(browser, reply["access_token"])
    assert refused(by_code(browser, code))


def test_code_grows_old(clock, browser):
    code = browser.code()
    clock.advance(61)
    assert refused(by_code(browser, code))


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "x"}, {"client_id": "x"}, {"redirect_uri": "http://127.0.0.1/other"}, {"code": "x"}]
)
def test_every_wrong_detail_looks_the_same(browser, wrong):
    details = {"code": browser.code(), "redirect_uri": REDIRECT}
    assert refused(token(browser, "authorization_code", **(details | wrong)))


def test_client_may_use_basic(company, browser):
    data = {"grant_type": "authorization_code", "code": browser.code(), "redirect_uri": REDIRECT}
    assert "access_token" in browser.client.post("/oauth_token.do", data=data, auth=tuple(KEYS.values())).json
    switch(company, client_auth="body")
    data["code"] = browser.code()
    assert refused(browser.client.post("/oauth_token.do", data=data, auth=tuple(KEYS.values())))
    assert not refused(by_code(browser))
    switch(company, client_auth="basic")
    assert refused(by_code(browser))


def test_parameters_belong_into_the_body(company, browser):
    query = {"grant_type": "password", "username": "admin", "password": "admin"} | KEYS
    assert refused(browser.client.post("/oauth_token.do", query_string=query))
    assert refused(browser.client.post("/oauth_token.do", json=query))
    switch(company, body_only=False)
    assert browser.client.post("/oauth_token.do", query_string=query).status_code == 200


def test_password_grant_and_its_switch(company, browser):
    who = {"username": "oslo", "password": "oslo"}
    assert works(browser, token(browser, "password", **who).json["access_token"])
    assert refused(token(browser, "password", username="oslo", password="wrong"))
    switch(company, grants=("authorization_code", "refresh_token"))
    assert refused(token(browser, "password", **who))


def test_client_credentials_and_its_switch(company, browser):
    assert refused(token(browser, "client_credentials"))
    switch(company, grants=("client_credentials",))
    reply = token(browser, "client_credentials").json
    assert works(browser, reply["access_token"])
    assert "refresh_token" not in reply


def test_unknown_grant(browser):
    assert refused(token(browser, "nonsense"))


def test_live_token_is_handed_out_again(clock, company, browser):
    first = by_code(browser).json
    clock.advance(1000)
    refreshed = token(browser, "refresh_token", refresh_token=first["refresh_token"]).json
    assert (refreshed["access_token"], refreshed["expires_in"]) == (first["access_token"], 799)
    again = by_code(browser).json
    assert again["access_token"] == first["access_token"]
    assert again["refresh_token"] == first["refresh_token"]
    assert again["expires_in"] == 1799
    switch(company, same_token_while_live=False)
    fresh = by_code(browser).json
    assert fresh["access_token"] != first["access_token"]
    assert works(browser, first["access_token"])


def test_refresh_after_the_end(clock, browser):
    first = by_code(browser).json
    clock.advance(1801)
    assert not works(browser, first["access_token"])
    second = token(browser, "refresh_token", refresh_token=first["refresh_token"]).json
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] == first["refresh_token"]
    assert works(browser, second["access_token"])
    assert refused(token(browser, "refresh_token", refresh_token=first["refresh_token"], client_secret="x"))
    assert refused(token(browser, "refresh_token", refresh_token=first["access_token"]))
    clock.advance(8_640_001)
    assert refused(token(browser, "refresh_token", refresh_token=first["refresh_token"]))


def test_refresh_reply_without_refresh_token(company, browser):
    switch(company, repeats_refresh_token=False)
    first = by_code(browser).json
    assert "refresh_token" not in token(browser, "refresh_token", refresh_token=first["refresh_token"]).json


def test_rotating_refresh_tokens(company, browser):
    switch(company, rotate_refresh=True)
    first = by_code(browser).json
    second = token(browser, "refresh_token", refresh_token=first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert refused(token(browser, "refresh_token", refresh_token=first["refresh_token"]))
    assert not refused(token(browser, "refresh_token", refresh_token=second["refresh_token"]))


def test_revoked_tokens(browser):
    tokens = by_code(browser).json
    assert browser.client.post("/oauth_revoke_token.do", data={"token": tokens["access_token"]}).status_code == 200
    assert not works(browser, tokens["access_token"])
    browser.client.get("/oauth_revoke_token.do", query_string={"token": tokens["refresh_token"]})
    assert refused(token(browser, "refresh_token", refresh_token=tokens["refresh_token"]))


def test_tokens_of_a_locked_user(company, browser):
    tokens = token(browser, "password", username="oslo", password="oslo").json
    user = company.user_named("oslo").sys_id
    company.update("sys_user", user, {"locked_out": "true"})
    assert not works(browser, tokens["access_token"])
    assert refused(token(browser, "refresh_token", refresh_token=tokens["refresh_token"]))
    assert refused(token(browser, "password", username="oslo", password="oslo"))


def test_scope_and_lifetime_are_switches(company, browser):
    switch(company, scope="my scope", access_ttl=60)
    reply = by_code(browser).json
    assert (reply["scope"], reply["expires_in"]) == ("my scope", 59)


VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PROOF = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def test_pkce_is_off_by_default(browser):
    assert not refused(by_code(browser, browser.code(**PROOF)))


def test_pkce_allowed(company, browser):
    switch(company, pkce="allowed")
    assert not refused(by_code(browser))
    assert refused(by_code(browser, browser.code(**PROOF)))
    assert refused(by_code(browser, browser.code(**PROOF), code_verifier="wrong"))
    assert not refused(by_code(browser, browser.code(**PROOF), code_verifier=VERIFIER))
    assert not refused(by_code(browser, browser.code(**PROOF), code_verifier=VERIFIER, client_secret=""))


def test_pkce_required(company, browser):
    switch(company, pkce="required")
    assert browser.open().headers["Location"] == f"{REDIRECT}?error=invalid_request&state=s1"
    assert not refused(by_code(browser, browser.code(**PROOF), code_verifier=VERIFIER))


def test_second_factor_and_missing_scope(company, browser):
    access = by_code(browser).json["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    switch(company, mfa_required=True)
    reply = browser.client.get("/api/now/table/incident", headers=headers)
    assert (reply.status_code, reply.headers["X-MFA_TOKEN"]) == (401, "invalid")
    company.switches = replace(company.switches, oauth=OAuthSwitches(api_scope_missing=True))
    reply = browser.client.get("/api/now/table/incident", headers=headers)
    assert (reply.status_code, reply.json["error"]["message"]) == (403, "Missing required api access scope")
