"""What the answers of a token endpoint mean."""

from __future__ import annotations

import re
import traceback

import pytest
import requests
from acme import GRANT, GRANTS, refresh

from connectory.errors import (
    AuthenticationError,
    ProviderError,
    RetryLaterError,
)
from connectory.secrets import redactor

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
