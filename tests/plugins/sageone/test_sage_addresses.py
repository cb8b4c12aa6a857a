from __future__ import annotations

import pytest

from connectory.errors import ConfigurationError
from connectory.schemas import is_secret, load_configuration
from connectory_sageone import addresses
from connectory_sageone.element import SAGEONE

KEYS = {"oauth.api.key": "id", "oauth.api.secret": "hush-hush"}


def config(**more):
    return load_configuration(SAGEONE, KEYS | more)


def v3(**more):
    return config(**{"sageone.api": "v3", "apim.subscription.key": "k", "country": "US"} | more)


def test_v31_is_one_address_for_all():
    found = config()
    assert addresses.base_url(found) == "https://api.accounting.sage.com/v3.1"
    assert addresses.authorize_url(found) == "https://www.sageone.com/oauth2/auth/central?filter=apiv3.1"
    assert addresses.token_url(found) == "https://oauth.accounting.sage.com/token"
    assert addresses.revoke_url(found) == "https://oauth.accounting.sage.com/revoke"


def test_a_country_spares_the_page_with_the_flags():
    assert addresses.authorize_url(config(country="GB")).endswith("?filter=apiv3.1&country=gb")


@pytest.mark.parametrize(
    ("country", "token", "api"),
    [
        ("us", "https://oauth.na.sageone.com/token", "https://api.columbus.sage.com/us/sageone/accounts/v3"),
        ("CA", "https://oauth.na.sageone.com/token", "https://api.columbus.sage.com/ca/sageone/accounts/v3"),
        ("DE", "https://oauth.eu.sageone.com/token", "https://api.columbus.sage.com/de/sageone/accounts/v3"),
        ("es", "https://oauth.eu.sageone.com/token", "https://api.columbus.sage.com/es/sageone/accounts/v3"),
        ("FR", "https://oauth.eu.sageone.com/token", "https://api.columbus.sage.com/fr/sageone/accounts/v3"),
        ("GB", "https://app.sageone.com/oauth2/token", "https://api.columbus.sage.com/uki/sageone/accounts/v3"),
        ("ie", "https://app.sageone.com/oauth2/token", "https://api.columbus.sage.com/uki/sageone/accounts/v3"),
    ],
)
def test_v3_has_addresses_of_each_country(country, token, api):
    found = v3(country=country)
    assert (addresses.token_url(found), addresses.base_url(found)) == (token, api)
    assert addresses.revoke_url(found) == token.replace("token", "revoke")
    assert addresses.authorize_url(found) == "https://www.sageone.com/oauth2/auth"


@pytest.mark.parametrize(
    "given", ["https://api.columbus.sage.com/us/sageone", "https://api.columbus.sage.com/us/sageone/accounts/v3/"]
)
def test_what_the_original_platform_stored_is_understood(given):
    assert addresses.base_url(v3(**{"base.url": given})) == "https://api.columbus.sage.com/us/sageone/accounts/v3"


def test_addresses_of_a_sandbox_replace_sages():
    found = config(
        **{
            "base.url": "http://127.0.0.1:8091/v3.1/",
            "oauth.authorization.url": "http://localhost:8091/auth?x=1",
            "oauth.token.url": "http://[::1]:8091/token",
            "oauth.token.revoke_url": "https://sandbox.example/revoke",
        }
    )
    assert addresses.base_url(found) == "http://127.0.0.1:8091/v3.1"
    assert addresses.authorize_url(found) == "http://localhost:8091/auth?x=1&filter=apiv3.1"
    assert addresses.token_url(found) == "http://[::1]:8091/token"
    assert addresses.revoke_url(found) == "https://sandbox.example/revoke"


@pytest.mark.parametrize(
    "bad",
    [
        "http://api.accounting.sage.com/v3.1",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "https://user:pw@api.example/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "https://",
        "https://api.example:port/",
        "https://[::1",
        "https://api.example/ v3.1",
        "https://api.example\\@evil.example",
        "nonsense",
    ],
)
@pytest.mark.parametrize("key", ["base.url", "oauth.token.url", "oauth.authorization.url", "oauth.token.revoke_url"])
def test_secrets_are_not_sent_to(bad, key):
    with pytest.raises(ConfigurationError, match="not a URL that secrets may be sent to"):
        config(**{key: bad})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sageone.api": "v2"}, "not one of"),
        ({"country": "NO"}, "is not one of: CA, US"),
        ({"sageone.business": "../x"}, "not the id of a business"),
        ({"sageone.api": "v3", "apim.subscription.key": "k"}, "its own host in each country"),
        ({"sageone.api": "v3", "country": "US"}, "needs a subscription key"),
        ({"base.url": "https://api.columbus.sage.com/us/sageone"}, "is a host of API v3"),
        ({"oauth.token.url": "https://oauth.na.sageone.com/token"}, "remove oauth.token.url"),
        ({"oauth.token.refresh_url": "https://app.sageone.com/oauth2/token"}, "is a host of API v3"),
    ],
)
def test_what_cannot_work_is_said_at_once(given, message):
    with pytest.raises(ConfigurationError, match=message):
        config(**given)


def test_the_keys_of_the_original_platform_are_accepted():
    found = config(
        **{
            "oauth.scope": "full_access",
            "oauth.user.refresh_interval": "3600",
            "oauth.user.refresh_time": "1493000000000",
            "oauth.basic.header": "true",
            "signature.secret": "s-3cret",
            "apim.subscription.key": "k-3y",
            "country": "us",
            "resource_owner_id": "r",
            "pagination.type": "page",
            "pagination.max": "200",
            "pagination.page.startindex": "1",
            "bulk.query.date_mask": "yyyy-MM-dd'T'HH:mm:ss'Z'",
            "event.vendor.type": "polling",
            "base.url": "",
        }
    )
    assert (found["country"], found["base.url"], found["oauth.basic.header"]) == ("US", None, "true")


@pytest.mark.parametrize("key", ["oauth.api.secret", "signature.secret", "apim.subscription.key"])
def test_secrets_are_marked(key):
    assert is_secret(SAGEONE, key)
    assert "s-3cret" not in repr(config(**{key: "s-3cret"}))
