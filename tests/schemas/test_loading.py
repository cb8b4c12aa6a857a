"""Configuration and bodies: what is accepted, and what is said of what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectory import Secret
from connectory.errors import ConfigurationError
from connectory.plugins import Plugins
from connectory.schemas import is_secret, load_configuration

REQUIRED = {"servicenow.subdomain": "acme", "oauth.api.key": "key", "oauth.api.secret": "hidden"}
POLLER = {"accounts": {"url": "/hubs/helpdesk/accounts", "idField": "sys_id"}}


@pytest.fixture(scope="module")
def element():
    return Plugins.load(["servicenowoauth"]).element("servicenowoauth")


def test_defaults(element):
    config = load_configuration(element, REQUIRED)
    assert config["event.notification.enabled"] is False
    assert config["event.notification.callback.url"] is None
    assert config["event.poller.refresh_interval"] == timedelta(minutes=15)
    assert config["event.vendor.type"] == "polling"
    assert config["oauth.api.secret"] == Secret("hidden")


@pytest.mark.parametrize("value", ["15", 15, "1.5", 1.5, 999999999])
def test_the_interval_is_a_number_or_text(element, value):
    config = load_configuration(element, REQUIRED | {"event.poller.refresh_interval": value})
    assert config["event.poller.refresh_interval"] == timedelta(minutes=float(value))


@pytest.mark.parametrize("value", [True, "true", "True", 1])
def test_booleans_come_as_text_too(element, value):
    assert load_configuration(element, REQUIRED | {"event.notification.enabled": value})["event.notification.enabled"]


def test_the_poller_configuration_comes_as_an_object_or_as_text(element):
    import json

    for given in (POLLER, json.dumps(POLLER)):
        config = load_configuration(element, REQUIRED | {"event.poller.configuration": given})
        assert config["event.poller.configuration"]["accounts"].url == "/hubs/helpdesk/accounts"


def test_unknown_keys_are_kept(element):
    config = load_configuration(element, REQUIRED | {"extra.oauth.params": "x", "username": "ann"})
    assert (config["extra.oauth.params"], config["username"]) == ("x", "ann")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"servicenow.subdomain": None, "oauth.api.key": None},
            (
                "configuration: missing required configuration: oauth.api.key, servicenow.subdomain"
                " (`connect elements show servicenowoauth` lists the keys)"
            ),
        ),
        (
            {"event.poller.refresh_interval": "abc"},
            "configuration: event.poller.refresh_interval: 'abc' is not a number of minutes",
        ),
        ({"event.poller.refresh_interval": "-1"}, "configuration: event.poller.refresh_interval: '-1' minutes is too"),
        ({"event.poller.refresh_interval": True}, "configuration: event.poller.refresh_interval: True is not a number"),
        ({"event.poller.refresh_interval": "nan"}, "configuration: event.poller.refresh_interval: 'nan' is not a"),
        ({"event.notification.enabled": "maybe"}, "configuration: event.notification.enabled: Not a valid boolean."),
        (
            {"event.notification.callback.url": "mycoolapp"},
            (
                "configuration: event.notification.callback.url: 'mycoolapp' is not a URL that can be called, such"
                " as https://example.com/events"
            ),
        ),
        ({"event.notification.callback.url": "ftp://a/b"}, "configuration: event.notification.callback.url: 'ftp://"),
        ({"event.notification.callback.url": "http://a:99999/"}, "configuration: event.notification.callback.url: 'h"),
        (
            {"event.notification.callback.url": "https://u:p@a/"},
            "configuration: event.notification.callback.url: leave",
        ),
        ({"event.vendor.type": "webhook"}, "configuration: event.vendor.type: 'webhook' is not supported"),
        (
            {"event.poller.configuration": '{"accounts": '},
            "configuration: event.poller.configuration: this is not JSON: Expecting value at line 1, column 14",
        ),
        ({"event.poller.configuration": "[]"}, "configuration: event.poller.configuration: expected an object with an"),
        (
            {"event.poller.configuration": {"accounts": {}}},
            "configuration: event.poller.configuration.accounts.url: Missing data for required field.",
        ),
        (
            {"event.poller.configuration": {"accounts": {"url": "/x", "pageSize": 0}}},
            "configuration: event.poller.configuration.accounts.pageSize: Must be greater than or equal to 1",
        ),
        ({"event.poller.configuration": {"accounts": "x"}}, "configuration: event.poller.configuration.accounts: Inva"),
        ({"event.poller.first_poll": "soon"}, "configuration: event.poller.first_poll: 'soon' is neither `now`, nor"),
        ({"oauth.api.secret": 7}, "configuration: oauth.api.secret: expected a string"),
    ],
)
def test_bad_configuration(element, change, message):
    raw = {key: value for key, value in (REQUIRED | change).items() if value is not None}
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(element, raw)
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_stray_keys_of_other_platforms_are_accepted(element):
    entry = {"url": "/x", "updatedDateTimezone": "PST", "xPath": "$", "datesConfiguration": {"other": 1}}
    config = load_configuration(element, REQUIRED | {"event.poller.configuration": {"a": entry}})
    assert config["event.poller.configuration"]["a"].url == "/x"


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("oauth.api.secret", True),
        ("event.notification.signature.key", True),
        ("oauth.user.token", True),
        ("oauth.user.refresh_token", True),
        ("dev.password", True),
        ("apim.subscription.key", True),
        ("oauth.user.refresh_interval", False),
        ("oauth.token.url", False),
        ("servicenow.subdomain", False),
        ("oauth.api.key", False),
    ],
)
def test_what_is_a_secret(element, key, secret):
    assert is_secret(element, key) is secret


def test_an_element_without_keys_of_its_own():
    from marshmallow import Schema

    from connectory import Element
    from connectory.schemas import configuration_schema, load_configuration

    bare = Element(key="bare", name="Bare", hub="h", base_url="https://bare.example", config_schema=Schema)
    assert load_configuration(bare, {"event.notification.enabled": True})["event.notification.enabled"] is True
    assert "event.poller.configuration" in {field.data_key for field in configuration_schema(bare).fields.values()}
