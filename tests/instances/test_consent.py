"""The consent: where a person is sent, and what may come back with them."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from acme import NOON, query_of

from connectory.auth import Token
from connectory.errors import (
    AuthenticationError,
    ConsentRefusedError,
    RetryLaterError,
)
from connectory.model import Pkce
from connectory.secrets import Secret


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
