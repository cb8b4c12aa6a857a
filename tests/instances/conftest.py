from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
import responses
from acme import CONFIG, GRANT, NOON, TOKEN_URL

from connectory.instances.login.consent import AuthorizationFlow
from connectory.model import OAuth2


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
