"""What an instance may be configured with, and where that leads."""

from __future__ import annotations

import pytest

from connectory.errors import ConfigurationError
from connectory.model import resolve_endpoint
from connectory.schemas import configuration_schema, load_configuration
from connectory_servicenow.address import instance_url
from connectory_servicenow.element import SERVICENOW

KEYS = {"oauth.api.key": "k", "oauth.api.secret": "s"}


def load(**changes):
    return load_configuration(SERVICENOW, {**KEYS, "servicenow.subdomain": "acme", **changes})


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("acme", "https://acme.service-now.com"),
        ("  Acme ", "https://acme.service-now.com"),
        ("dev-12345", "https://dev-12345.service-now.com"),
        ("acme.service-now.com", "https://acme.service-now.com"),
        ("ACME.Service-Now.com", "https://acme.service-now.com"),
        ("acme.servicenowservices.com", "https://acme.servicenowservices.com"),
        ("https://acme.service-now.com", "https://acme.service-now.com"),
        ("https://acme.service-now.com/", "https://acme.service-now.com"),
        ("https://acme.service-now.com:443/nav_to.do?uri=%2Fincident_list.do#x", "https://acme.service-now.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_every_way_to_name_an_instance(text, url):
    assert instance_url(text) == url
    config = load(**{"servicenow.subdomain": text})
    assert resolve_endpoint(SERVICENOW.base_url, config) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.example.com",
        "https://acme.example.com",
        "https://evil.com/acme.service-now.com",
        "https://acme.service-now.com.evil.com",
        "https://acme.service-now.com@evil.com",
        "https://acme.service-now.com\\@evil.com",
        "https://user:pw@acme.service-now.com",
        "https://acme.service-now.com:8443",
        "http://acme.service-now.com",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "ftp://acme.service-now.com",
        "acme/evil.com#",
        "acme?x=",
        "acme\nevil",
        "acme\r\nHost: evil",
        "a b",
        "-acme",
        "acme-",
        "a" * 64,
        "acme.test",
        "ácme",
        "acme%2eevil",
        7,
    ],
)
def test_anything_else_is_refused_with_what_is_expected(text):
    with pytest.raises(ConfigurationError) as caught:
        load(**{"servicenow.subdomain": text})
    assert "servicenow.subdomain" in str(caught.value)
    if isinstance(text, str):
        assert "acme.service-now.com" in str(caught.value)


def test_an_address_is_asked_for_where_none_is_given():
    with pytest.raises(ConfigurationError, match=r"servicenow\.subdomain"):
        resolve_endpoint(SERVICENOW.base_url, {})


@pytest.mark.parametrize(
    ("endpoint", "page"),
    [("authorize_url", "oauth_auth"), ("token_url", "oauth_token"), ("revoke_url", "oauth_revoke_token")],
)
def test_the_login_is_at_the_instance(endpoint, page):
    url = resolve_endpoint(getattr(SERVICENOW.oauth, endpoint), load())
    assert url == f"https://acme.service-now.com/{page}.do"


def test_defaults():
    config = load()
    assert {key: value for key, value in config.items() if key.startswith("servicenow.")} == {
        "servicenow.subdomain": "acme",
        "servicenow.display_value": "false",
        "servicenow.accounts.table": "core_company",
        "servicenow.contacts.table": "sys_user",
        "servicenow.accounts.filter": "",
        "servicenow.contacts.filter": "",
        "servicenow.agents.filter": "",
        "servicenow.incidents.filter": "",
        "servicenow.contacts.fields": "",
        "servicenow.agents.fields": "",
    }


def test_every_key_explains_itself():
    for field in configuration_schema(SERVICENOW).fields.values():
        if str(field.data_key).startswith("servicenow."):
            assert field.metadata["label"]
            assert field.metadata["description"].endswith(".")


@pytest.mark.parametrize("value", ["false", "all", "true", False, True])
def test_display_values(value):
    assert load(**{"servicenow.display_value": value})["servicenow.display_value"] == str(value).lower()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("display_value", "yes", "false, all, true"),
        ("accounts.table", "core_company?x=1", "not a table name"),
        ("accounts.table", "../sys_user", "not a table name"),
        ("accounts.table", "core_company\n", "not a table name"),
        ("contacts.table", "", "not a table name"),
        ("contacts.fields", "u_team,a b", "'a b' is not a column name"),
        ("agents.fields", "u_team,user_password", "never leaves"),
        ("agents.fields", "manager.user_password", "never leaves"),
        ("accounts.filter", "a=1^NQb=2", "second query"),
        ("accounts.filter", "a=1^ORDERBYname", "order"),
        ("accounts.filter", "ORDERBYDESCname", "order"),
        ("accounts.filter", "a=1^GROUPBYname", "groups"),
        ("accounts.filter", "JOINcore_company.sys_id=incident.company!active=true", "JOIN"),
        ("accounts.filter", "RLQUERYincident.company,>0^active=true", "ENDRLQUERY"),
        ("accounts.filter", "ORactive=true", "starts with OR"),
        ("accounts.filter", "a=1\r\nb", "cannot be part"),
        ("agents.filter", "user_passwordSTARTSWITHa", "must not be used in a condition"),
    ],
)
def test_what_cannot_be_configured(key, value, message):
    with pytest.raises(ConfigurationError, match=rf"servicenow\.{key}: .*{message}"):
        load(**{f"servicenow.{key}": value})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("active=true", "active=true"),
        ("active=true^ORvip=true^EQ", "active=true^ORvip=true"),
        ("^active=true^", "active=true"),
        ("  ", ""),
        ("RLQUERYincident.company,>0^active=true^ENDRLQUERY", "RLQUERYincident.company,>0^active=true^ENDRLQUERY"),
        ("opened_by=javascript:gs.getUserID()", "opened_by=javascript:gs.getUserID()"),
    ],
)
def test_filters(text, meant):
    assert load(**{"servicenow.accounts.filter": text})["servicenow.accounts.filter"] == meant
