"""The element and its resources, against what the original documented."""

from __future__ import annotations

import json

import pytest

from connectory.model import Pkce, Response
from connectory.plugins import Plugins
from connectory.schemas import load_configuration

DATES = {
    "updatedDateField": "sys_updated_on",
    "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
    "createdDateField": "sys_created_on",
    "createdDateFormat": "yyyy-MM-dd HH:mm:ss",
}


@pytest.fixture(scope="module")
def plugins():
    return Plugins.load(only=["servicenowoauth"])


@pytest.fixture(scope="module")
def element(plugins):
    return plugins.element("servicenowoauth")


@pytest.fixture(scope="module")
def resources(plugins, element):
    def listed(**changes):
        raw = {"servicenow.subdomain": "acme", "oauth.api.key": "k", "oauth.api.secret": "s", **changes}
        return plugins.list_resources(element, load_configuration(element, raw))

    return listed


def test_the_element(element):
    assert (element.key, element.id, element.name, element.hub) == (
        "servicenowoauth",
        1323,
        "ServiceNow OAuth",
        "helpdesk",
    )
    assert (element.oauth.client_auth, element.oauth.pkce, element.oauth.scope) == ("basic", Pkce.OPTIONAL, None)
    assert (element.page_size, element.settle.total_seconds(), element.overlap.total_seconds()) == (1000, 5, 60)


def test_the_documented_entry_of_accounts(resources):
    documented = json.loads(
        """{
        "url": "/hubs/helpdesk/accounts?where=sys_updated_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}'",
            "idField": "sys_id",
            "datesConfiguration": {
                "updatedDateField": "sys_updated_on",
                "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
                "createdDateField": "sys_created_on",
                "createdDateFormat": "yyyy-MM-dd HH:mm:ss"
            }
      }"""
    )
    assert resources()["accounts"].poller == documented


@pytest.mark.parametrize("name", ["contacts", "agents"])
def test_the_documented_entries_of_users(resources, name):
    assert resources()[name].poller == {
        "url": f"/hubs/helpdesk/{name}?where=sys_updated_on>'${{gmtDate:yyyy-MM-dd'T'HH:mm:ss}}'",
        "idField": "sys_id",
        "datesConfiguration": DATES,
    }


def test_the_documented_entry_of_incidents(resources):
    assert resources()["incidents"].poller == {
        "url": "/hubs/helpdesk/incidents?where=sys_updated_on>'${date:yyyy-MM-dd'T'HH:mm:ss}'",
        "idField": "sys_id",
        "datesConfiguration": {**DATES, "updatedDateTimezone": "PST", "createdDateTimezone": "PST"},
    }


def test_tables(resources):
    assert {name: resource.path for name, resource in resources().items()} == {
        "accounts": "/api/now/v2/table/core_company",
        "contacts": "/api/now/v2/table/sys_user",
        "agents": "/api/now/v2/table/sys_user",
        "incidents": "/api/now/v2/table/incident",
    }
    chosen = resources(
        **{"servicenow.accounts.table": "customer_account", "servicenow.contacts.table": "customer_contact"}
    )
    assert chosen["accounts"].path == "/api/now/v2/table/customer_account"
    assert chosen["contacts"].path == "/api/now/v2/table/customer_contact"


def test_fields_that_polls_read(resources):
    for resource in resources().values():
        assert resource.id_field == "sys_id"
        assert (resource.updated_field, resource.created_field) == ("sys_updated_on", "sys_created_on")
        assert (resource.version_field, resource.records_path) == ("sys_mod_count", "result")


def columns(resource):
    return dict(resource.params).get("sysparm_fields", "").split(",")


@pytest.mark.parametrize("name", ["contacts", "agents"])
def test_users_never_show_their_password(resources, name):
    names = columns(resources()[name])
    assert "user_password" not in names
    assert {"sys_id", "sys_updated_on", "sys_created_on", "sys_mod_count", "email", "password_needs_reset"} <= set(
        names
    )
    assert len(names) == len(set(names)) > 60


def test_users_show_the_columns_an_instance_added(resources):
    listed = resources(**{"servicenow.agents.fields": "u_badge, u_team"})
    assert {"u_badge", "u_team"} <= set(columns(listed["agents"]))
    assert "u_badge" not in columns(listed["contacts"])


def test_users_hide_their_password_whatever_table_they_come_from(resources):
    assert "email" in columns(resources(**{"servicenow.contacts.table": "u_partner"})["contacts"])
    assert "email" in columns(resources(**{"servicenow.accounts.table": "sys_user"})["accounts"])


def test_other_tables_show_all_they_have(resources):
    assert columns(resources()["incidents"]) == [""]
    assert columns(resources()["accounts"]) == [""]


def test_display_values_and_headers(resources):
    assert dict(resources()["incidents"].params) == {
        "sysparm_display_value": "false",
        "sysparm_suppress_pagination_header": "true",
    }
    listed = resources(**{"servicenow.display_value": "all"})
    assert {dict(resource.params)["sysparm_display_value"] for resource in listed.values()} == {"all"}


@pytest.mark.parametrize(
    ("status", "content_type", "dead"),
    [
        (401, "application/json;charset=UTF-8", True),
        (400, "application/json", True),
        (401, "text/html;charset=UTF-8", False),
        (200, "text/html", False),
        (503, "application/json", False),
    ],
)
def test_a_login_is_dead_when_the_token_endpoint_says_so(element, status, content_type, dead):
    response = Response(status=status, headers={"Content-Type": content_type}, body=b"")
    assert element.oauth.is_dead(response) is dead
