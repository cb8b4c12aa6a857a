"""The signature of API v3 and its predecessors, by the check vectors of the documentation."""

from __future__ import annotations

import base64
import hmac

import pytest
import requests

from connectory import Secret
from connectory_sageone import signature

SECRET, TOKEN, NONCE = "sign-secret", "tok-1", "n-1"


class Inner(requests.auth.AuthBase):
    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        request.headers["X-Site"] = "site-1"
        return request


def signed(method: str, url: str, body: bytes | None = None) -> str:
    auth = signature.signed(Inner(), Secret(SECRET), nonce=lambda: NONCE)
    request = auth(requests.Request(method, url, data=body).prepare())
    assert request.headers["X-Nonce"] == NONCE
    return request.headers["X-Signature"]


def test_the_vector_of_v3():
    url = "https://api.columbus.sage.com/us/sageone/accounts/v3/contacts?page=1"
    assert signed("GET", url) == "JwNvyjsZXXwcuH9HzUkRv9xQPxo="


def test_the_vector_of_v1():
    params = [("a", "1"), ("contact[name]", "Ann Lee")]
    text = signature.base_string("post", "https://api.sageone.com/accounts/v1/contacts?a=1", params, NONCE)
    made = hmac.new(signature.signing_key(SECRET, TOKEN).encode(), text.encode(), "sha1").digest()
    assert base64.b64encode(made).decode() == "TFo3vAf692++3kFnuVAI9Kd7EQA="


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://API.example/V3/x?b=2&a=1", "https://api.example/v3/x?a=1&b=2", True),
        ("https://api.example:443/x", "https://api.example/x", True),
        ("http://api.example:80/x", "http://api.example/x", True),
        ("https://api.example:8443/x", "https://api.example/x", False),
        ("https://api.example/x?a=%20", "https://api.example/x?a=+", True),
        ("https://api.example/x?a=", "https://api.example/x", False),
        ("https://api.example/x?a=1", "https://api.example/x?a=2", False),
    ],
)
def test_what_counts_as_the_same_address(one, other, same):
    assert (signed("GET", one) == signed("GET", other)) is same


def test_the_body_is_signed():
    url = "https://api.example/x"
    assert (
        len({signed("POST", url), signed("POST", url, b"{}"), signed("PUT", url, b"{}"), signed("POST", url, b"{ }")})
        == 4
    )
    assert signature.body_param(b"") == ("body", "")
