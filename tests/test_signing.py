from __future__ import annotations

import base64
import doctest
import hashlib
import hmac

import pytest
import requests

from connectory import signing
from connectory.secrets import Secret
from connectory.signing import SignedAuth


def prepared(**more) -> requests.PreparedRequest:
    return requests.Request("POST", "https://api.example.com/things?a=1", data=b"{}", **more).prepare()


class Inner(requests.auth.AuthBase):
    renewed = False

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer t-1"
        return request

    def renew(self, request):
        return request.headers["Authorization"] == "Bearer t-1"


def test_what_is_signed_is_the_base_string_of_the_request_as_it_is_sent():
    auth = SignedAuth(
        secret=Secret("key"),
        base_string=lambda request, nonce: f"{request.method}|{request.headers['Authorization']}|{nonce}",
        nonce_header="X-Nonce",
        nonce=lambda: "n-1",
        inner=Inner(),
    )
    request = auth(prepared())
    expected = base64.b64encode(hmac.new(b"key", b"POST|Bearer t-1|n-1", hashlib.sha256).digest()).decode()
    assert (request.headers["X-Nonce"], request.headers["X-Signature"]) == ("n-1", expected)


def test_the_key_may_come_from_the_request():
    auth = SignedAuth(
        secret=lambda request: f"key&{request.headers['Authorization'][7:]}",
        base_string=lambda request, nonce: request.path_url + nonce,
        inner=Inner(),
        digest="sha1",
        encoding="hex",
        signature_header="X-Sign",
    )
    assert auth(prepared()).headers["X-Sign"] == hmac.new(b"key&t-1", b"/things?a=1", "sha1").hexdigest()


def test_every_request_has_a_nonce_of_its_own():
    auth = SignedAuth(secret="key", base_string=lambda request, nonce: nonce, nonce_header="X-Nonce")
    assert len({auth(prepared()).headers["X-Nonce"] for _ in range(20)}) == 20


def test_the_inner_auth_renews():
    auth = SignedAuth(secret="key", base_string=lambda request, nonce: "", inner=Inner())
    assert auth.renew(auth(prepared()))
    assert not SignedAuth(secret="key", base_string=lambda request, nonce: "").renew(prepared())


def test_the_secret_does_not_show():
    assert "hush" not in repr(SignedAuth(secret="hush-hush", base_string=lambda request, nonce: ""))


def test_a_digest_that_does_not_exist_is_noticed_at_once():
    with pytest.raises(ValueError, match="md99"):
        SignedAuth(secret="key", base_string=lambda request, nonce: "", digest="md99")


def test_examples_run():
    assert doctest.testmod(signing).failed == 0
