from __future__ import annotations

import base64
import copy
import dataclasses

import pytest
import requests

from connectory.auth import ApiKeyAuth, BasicAuth, BearerAuth, Token
from connectory.secrets import Secret, redactor


class Tokens:
    """A `TokenSource` that answers from a list."""

    def __init__(self, *texts):
        self.texts = list(texts)
        self.rejected = []

    def current(self):
        return Token(access_token=Secret(self.texts[0]))

    def renew(self, rejected):
        self.rejected.append(rejected)
        if len(self.texts) > 1:
            self.texts.pop(0)
        return self.current()


def signed(auth, url="https://acme.example/x"):
    return auth(requests.Request("GET", url).prepare())


def test_bearer_puts_the_current_token_on_each_request():
    tokens = Tokens("first", "second")
    auth = BearerAuth(tokens)
    assert signed(auth).headers["Authorization"] == "Bearer first"
    tokens.texts.pop(0)
    assert signed(auth).headers["Authorization"] == "Bearer second"


def test_bearer_renews_the_token_that_the_request_carried():
    tokens = Tokens("first", "second")
    auth = BearerAuth(tokens)
    assert auth.renew(signed(auth)) is True
    assert tokens.rejected == ["first"]
    assert signed(auth).headers["Authorization"] == "Bearer second"


def test_a_renewal_that_gives_the_same_token_again_proves_the_login():
    auth = BearerAuth(Tokens("only"))
    assert auth.renew(signed(auth)) is True


def test_basic_is_utf8():
    value = signed(BasicAuth("änn", Secret("pä:ss"))).headers["Authorization"]
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == "änn:pä:ss"


def test_an_api_key_travels_in_a_header():
    assert signed(ApiKeyAuth("k3y k3y", header="X-Api-Key")).headers["x-api-key"] == "k3y k3y"


def test_a_token_that_never_changes_is_a_key_with_a_scheme():
    auth = ApiKeyAuth(Secret("t0ken t0ken"), header="Authorization", scheme="Bearer")
    sent = signed(auth).headers["Authorization"]
    assert sent == "Bearer t0ken t0ken"
    assert "t0ken" not in redactor.scrub(sent)
    with pytest.raises(TypeError, match="a scheme can only stand in a header"):
        ApiKeyAuth("k", query="key", scheme="Bearer")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://acme.example/x", "https://acme.example/x?api%20key=k%2By%26"),
        ("https://acme.example/x?a=%20", "https://acme.example/x?a=%20&api%20key=k%2By%26"),
    ],
)
def test_an_api_key_travels_in_the_query(url, sent):
    assert signed(ApiKeyAuth(Secret("k+y&"), query="api key"), url).url == sent


@pytest.mark.parametrize("where", [{}, {"header": "X", "query": "y"}])
def test_an_api_key_travels_in_one_place(where):
    with pytest.raises(TypeError, match="either the header or the query"):
        ApiKeyAuth("k", **where)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BasicAuth("ann", "hunter22"),
        lambda: ApiKeyAuth("hunter22", header="X"),
        lambda: ApiKeyAuth("hunter22", query="x"),
    ],
)
def test_auth_does_not_print_its_secret_and_logs_do_not_either(make):
    auth = make()
    assert "hunter22" not in repr(auth)
    assert "hunter22" not in repr(vars(auth))
    prepared = signed(auth)
    scrubbed = redactor.scrub(f"{prepared.url} {prepared.headers}")
    assert "hunter22" not in scrubbed
    assert base64.b64encode(b"ann:hunter22").decode() not in scrubbed


def test_a_token_is_frozen_and_does_not_print():
    token = Token(access_token=Secret("hunter22"), refresh_token=Secret("hunter33"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        token.version = 2
    assert "hunter" not in repr(token)
    assert copy.deepcopy(token) == token
    assert dataclasses.asdict(token)["access_token"].reveal() == "hunter22"
