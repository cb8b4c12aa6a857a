"""The plugin as the framework finds it, and its hooks against the sandbox over real HTTP."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from werkzeug.serving import make_server

from connectory import ceql
from connectory.auth import BearerAuth
from connectory.http import Client
from connectory.model import Page, Query, Request, Window, resolve_endpoint
from connectory.plugins import Plugins
from connectory.schemas import load_configuration
from connectory.secrets import Secret
from connectory_servicenow.sandbox import AclSwitches, Sandbox, Switches, create_sandbox

CALLBACK = "http://127.0.0.1:9/callback"
NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_the_framework_finds_it():
    (info,) = Plugins.load(only=["servicenowoauth"]).infos()
    assert info.quarantined is None
    assert (info.distribution, info.elements) == ("connectory-servicenow", ("servicenowoauth",))


def test_importing_it_is_light():
    code = """
import sys
import connectory_servicenow.plugin
heavy = {"requests", "urllib3", "werkzeug", "lark", "connectory_servicenow.sandbox"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def plugins():
    return Plugins.load(only=["servicenowoauth"])


@pytest.fixture(scope="module")
def element(plugins):
    return plugins.element("servicenowoauth")


@pytest.fixture
def sandbox():
    return create_sandbox(clock=lambda: NOW, companies=3, users=9, incidents=14)


@pytest.fixture
def base_url(sandbox):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, sandbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(element, sandbox, base_url):
    return load_configuration(element, sandbox.configuration(base_url))


class Tokens:
    def __init__(self, token: str) -> None:
        self.token = token

    def current(self):
        return SimpleNamespace(access_token=Secret(self.token))

    def renew(self, rejected):
        return self.current()


def log_in(element, config, sandbox) -> dict[str, str]:
    asked = {
        "response_type": "code",
        "client_id": config["oauth.api.key"],
        "redirect_uri": CALLBACK,
        "state": "s1",
    }
    landed = sandbox.consent(f"{resolve_endpoint(element.oauth.authorize_url, config)}?{urlencode(asked)}")
    answer = parse_qs(urlsplit(landed).query)
    assert landed.startswith(CALLBACK)
    assert answer["state"] == ["s1"]
    exchange = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": CALLBACK}
    client = (config["oauth.api.key"], config["oauth.api.secret"].reveal())
    reply = requests.post(resolve_endpoint(element.oauth.token_url, config), data=exchange, auth=client, timeout=10)
    return reply.json()


@pytest.fixture
def client(plugins, element, config, sandbox):
    auth = plugins.build_auth(element, config, Tokens(log_in(element, config, sandbox)["access_token"]))
    assert isinstance(auth, BearerAuth)
    return Client(base_url=resolve_endpoint(element.base_url, config), auth=auth, judge=element.judge)


def test_the_person_allows_the_access_and_the_probe_proves_it(element, client):
    assert len(client.send(element.probe).json()["result"]) == 1


def test_a_refused_consent_page_is_an_error(element, config, sandbox):
    with pytest.raises(RuntimeError, match="without a form"):
        sandbox.consent(resolve_endpoint(element.oauth.authorize_url, config))


def test_steps_change_records(sandbox):
    change, table, sys_id = sandbox.step().split()
    assert change in {"created", "updated"}
    assert sandbox.tables[table][sys_id]["sys_updated_on"] == "2024-05-01 10:00:00"


def test_the_sandbox_is_opened_by_the_hook(plugins, element):
    opened = plugins.open_sandbox(element)
    assert isinstance(opened, Sandbox)
    assert opened.configuration("http://127.0.0.1:1")["servicenow.subdomain"] == "http://127.0.0.1:1"


def poll(plugins, element, config, client, name, *, start, end=NOW, page_size=4, where=None):
    """The records of one window, and the number of requests: what the engine does, in short."""
    resource = plugins.list_resources(element, config)[name]
    window = Window(start=start, end=end)
    where = f"sys_updated_on > '{start - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}'" if where is None else where
    query = Query(expression=ceql.parse(where), page_size=page_size, window=window)
    params = (*resource.params, *plugins.translate_query(element, resource, query))
    steps = resource.paginator.walk(Request(path=resource.path, params=params), query)
    found, request, count = [], next(steps), 0
    try:
        while True:
            response, _ = client.exchange(request)
            rows = [row for row in response.json().get("result", []) if row] if response.status == 200 else []
            count += 1
            found += rows
            last = (rows[-1]["sys_id"], rows[-1]["sys_updated_on"]) if rows else None
            request = steps.send(Page(response=response, rows=len(rows), last=last))
    except StopIteration:
        return found, count


@pytest.mark.parametrize("hidden_as", ["absent", "empty"])
@pytest.mark.parametrize(
    ("share", "forbidden"), [(0, False), (0.5, False), (0.9, False), (0.9, True), (1, False), (1, True)]
)
def test_a_poll_reads_every_readable_record_once(
    plugins, element, config, client, sandbox, share, hidden_as, forbidden
):
    acl = AclSwitches(hidden_share={"incident": share}, hidden_as=hidden_as, forbidden_when_all_hidden=forbidden)
    everything, _ = poll(plugins, element, config, client, "incidents", start=NOW - timedelta(days=900), page_size=99)
    assert len(everything) == 14
    sandbox.switches = Switches(acl=acl)
    readable, _ = poll(plugins, element, config, client, "incidents", start=NOW - timedelta(days=900), page_size=99)
    found, _ = poll(plugins, element, config, client, "incidents", start=NOW - timedelta(days=900), page_size=2)
    assert sorted(row["sys_id"] for row in found) == sorted(row["sys_id"] for row in readable)
    assert (len(found) == 14) is (share == 0)


@pytest.mark.parametrize("name", ["accounts", "contacts", "agents", "incidents"])
def test_an_idle_poll_is_one_request(plugins, element, config, client, name):
    later = NOW + timedelta(days=1)
    assert poll(plugins, element, config, client, name, start=later, end=later) == ([], 1)


@pytest.mark.parametrize("name", ["contacts", "agents"])
def test_users_arrive_whole_but_for_their_password(plugins, element, config, client, sandbox, name):
    found, _ = poll(plugins, element, config, client, name, start=NOW - timedelta(days=900))
    assert len(found) == 9
    stored = {name for user in sandbox.tables["sys_user"].values() for name in user}
    assert {name for user in found for name in user} >= stored - {"user_password"}
    assert not any("user_password" in user for user in found)


def test_a_configured_filter_holds_for_every_page(plugins, element, sandbox, base_url, client):
    raw = {**sandbox.configuration(base_url), "servicenow.incidents.filter": "priority=4^ORpriority=5"}
    config = load_configuration(element, raw)
    found, _ = poll(plugins, element, config, client, "incidents", start=NOW - timedelta(days=900), page_size=2)
    wanted = [row for row in sandbox.tables["incident"].values() if row["priority"] in "45"]
    assert 2 < len(found) == len(wanted) < 14


def test_a_poll_without_a_condition_asks_for_its_window_only(plugins, element, config, client, sandbox):
    changed = next(iter(sandbox.tables["incident"].values()))
    sandbox.update("incident", changed.sys_id, {"short_description": "new"})
    found, _ = poll(plugins, element, config, client, "incidents", start=NOW - timedelta(seconds=1), where="")
    assert [row["sys_id"] for row in found] == [changed.sys_id]
