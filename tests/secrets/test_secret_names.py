"""One list of telling names serves texts, records and configuration keys."""

from __future__ import annotations

import pytest

from connectory.secrets import MASK, Redactor, holds_telling_name, tells_a_secret

TELLING = (
    "token",
    "oauth.user.refresh_token",
    "client_secret",
    "PASSWORD",
    "passwd",
    "apiKey",
    "X-Api-Key",
    "private_key",
    "apim.subscription.key",
    "event.notification.signature.key",
    "code_verifier",
    "client_assertion",
    "Set-Cookie",
)


@pytest.mark.parametrize("name", TELLING)
def test_a_telling_name_is_one_everywhere(name):
    assert tells_a_secret(name)
    assert holds_telling_name(name)
    assert Redactor().scrub(f"{name}=s3cr3t") == f"{name}={MASK}"


@pytest.mark.parametrize("name", ["token_type", "secretary", "password_needs_reset", "key", "sys_id", "code"])
def test_other_names_are_not(name):
    assert not tells_a_secret(name)
    assert Redactor().scrub(f"{name}=s3cr3t") == f"{name}=s3cr3t"


def test_a_header_that_authorizes_tells_too():
    assert tells_a_secret("Authorization")
    assert tells_a_secret("proxy-authorization")
    assert not holds_telling_name("oauth.authorization.url"), "it is the address of the consent page"
