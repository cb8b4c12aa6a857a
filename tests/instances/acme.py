"""What the tests of the login share: a provider's configuration, its replies, and the three grants."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectory.auth import Token
from connectory.secrets import Secret

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TOKEN_URL = "https://acme.example/oauth_token.do"
CONFIG = {
    "oauth.api.key": "client-1",
    "oauth.api.secret": Secret("s3cret/+ä"),
    "oauth.callback.url": "http://127.0.0.1:8723/callback",
    "oauth.scope": None,
    "username": "must not travel",
}
GRANT = {
    "access_token": "access-new",
    "refresh_token": "refresh-new",
    "token_type": "Bearer",
    "expires_in": 1799,
    "scope": "useraccount",
}
OLD = Token(access_token=Secret("access-old"), refresh_token=Secret("refresh-old"))


def basic(request):
    return base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query))


def exchange(flow):
    return flow.endpoint.exchange_code("1")


def refresh(flow):
    return flow.endpoint.refresh(OLD)


def password(flow):
    return flow.endpoint.password("änn", Secret("p&w"))


GRANTS = {
    exchange: {"grant_type": "authorization_code", "code": "1", "redirect_uri": "http://127.0.0.1:8723/callback"},
    refresh: {"grant_type": "refresh_token", "refresh_token": "refresh-old"},
    password: {"grant_type": "password", "username": "änn", "password": "p&w"},
}
each_grant = pytest.mark.parametrize(
    ("grant", "fields"), GRANTS.items(), ids=lambda value: getattr(value, "__name__", "")
)
