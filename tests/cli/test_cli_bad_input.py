"""What the command line says of bad input: the exact message, and the exit code."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from connectory.app import Elements
from connectory.cli.app import app
from connectory.plugins import Plugins
from connectory.sandbox.serving import Served

REQUIRED = {"servicenow.subdomain": "acme", "oauth.api.key": "key", "oauth.api.secret": "hidden"}


@pytest.fixture
def connect(tmp_path):
    def run(*arguments: str):
        return CliRunner().invoke(app, [*arguments, "--home", str(tmp_path / "home")])

    return run


@pytest.fixture
def served():
    """A sandbox on a port of its own, and what an instance needs to use it."""
    fake = Elements.load(["servicenowoauth"]).open_sandbox("servicenowoauth")
    with Served(fake) as running:
        yield fake, running.url, fake.configuration(running.url)


def body(tmp_path, configuration: dict, **more) -> str:
    path = tmp_path / "body.json"
    given = {"element": {"key": "servicenowoauth"}, "configuration": configuration, "providerData": {"code": "x"}}
    path.write_text(json.dumps(given | more))
    return str(path)


def entry(where: str, **dates: str) -> dict:
    url = f"/hubs/helpdesk/accounts?where={where}"
    return {"event.poller.configuration": {"accounts": {"url": url, "idField": "sys_id", "datesConfiguration": dates}}}


def said(result, code: int) -> str:
    assert result.exit_code == code, result.output + result.stderr
    return result.stderr


def test_an_unknown_element(connect):
    text = said(connect("run", "sageones", "--once"), 2)
    assert text.startswith("error: element not installed: 'sageones' (installed: ")
    assert "hint: install the plugin that provides it with pip" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"servicenow.subdomain": None}, "error: configuration: missing required configuration: servicenow.subdomain"),
        (
            {"event.poller.refresh_interval": "abc"},
            "error: configuration: event.poller.refresh_interval: 'abc' is not a number of minutes",
        ),
        (
            {"event.poller.configuration": "{accounts}"},
            (
                "error: configuration: event.poller.configuration: this is not JSON: Expecting property name enclosed"
                " in double quotes at line 1, column 2"
            ),
        ),
        (
            {"event.poller.configuration": {"tickets": {"url": "/hubs/helpdesk/tickets", "idField": "id"}}},
            (
                "error: event.poller.configuration.tickets.url: unknown resource 'tickets'\n"
                "hint: servicenowoauth has accounts, contacts, agents, incidents"
            ),
        ),
        (
            {"event.notification.callback.url": "not a url"},
            "error: configuration: event.notification.callback.url: 'not a url' is not a URL that can be called",
        ),
        (
            entry("sys_updated_on>'${gmtDat:yyyy}'"),
            "error: event.poller.configuration.accounts.url: unknown template descriptor",
        ),
        (entry("(name='x'"), "error: event.poller.configuration.accounts.url: unbalanced parenthesis"),
        (
            entry("name='x'", updatedDateField="u", updatedDateFormat="yyyy-QQ"),
            "error: event.poller.configuration.accounts.datesConfiguration.updatedDateFormat: ",
        ),
    ],
)
def test_bad_configuration(connect, tmp_path, change, message):
    configuration = {key: value for key, value in (REQUIRED | change).items() if value is not None}
    text = said(connect("run", "servicenowoauth", "--once", "--file", body(tmp_path, configuration)), 2)
    assert text.startswith(message)


@pytest.mark.parametrize("change", [entry("sys_updated_on>'${gmtDat:yyyy}'"), entry("(name='x'")])
def test_the_message_points_at_the_character(connect, tmp_path, change):
    text = said(connect("run", "servicenowoauth", "--once", "--file", body(tmp_path, REQUIRED | change)), 2)
    assert any(line.strip() == "^" for line in text.splitlines())


def test_files_that_cannot_be_used(connect, tmp_path):
    missing = tmp_path / "missing.json"
    assert said(connect("run", "servicenowoauth", "--file", str(missing)), 2).startswith(
        f"error: {missing}: the file cannot be read: No such file or directory"
    )
    broken = tmp_path / "broken.json"
    broken.write_text('{"element":\n  {"key" "x"}}')
    assert said(connect("run", "servicenowoauth", "--file", str(broken)), 2).startswith(
        f"error: {broken}: the file is not JSON: Expecting ':' delimiter at line 2, column 10"
    )
    for text, says in [
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "cannot be read as JSON"),
        ('{"element": "servicenowoauth"}', "element: expected an object with the element's key, got 'servicenowoauth'"),
        ('{"element": {"key": 5}}', "element: expected an object with the element's key, got 5"),
    ]:
        broken.write_text(text)
        assert says in said(connect("run", "servicenowoauth", "--file", str(broken)), 2)
    broken.write_text("\ufeff{}")
    assert "missing required configuration" in said(connect("run", "servicenowoauth", "--file", str(broken)), 2)
    broken.write_text("[1]")
    assert "expected a JSON object" in said(connect("run", "servicenowoauth", "--file", str(broken)), 2)


def test_options_that_cannot_be_used(connect):
    assert said(connect("run", "servicenowoauth", "--set", "subdomain"), 2).startswith(
        "error: --set: 'subdomain' is not key=value"
    )
    assert said(connect("run", "servicenowoauth", "--for", "soon"), 2).startswith(
        "error: --for: 'soon' is not a valid duration"
    )
    assert "is longer than a year" in said(connect("run", "servicenowoauth", "--for", "9999999999h"), 2)
    assert said(connect("run", "servicenowoauth", "--fault", "slow"), 2).startswith(
        "error: --fault: a fault needs a sandbox"
    )
    given = [part for key, value in REQUIRED.items() for part in ("--set", f"{key}={value}")]
    text = said(connect("run", "servicenowoauth", "--resource", "tickets", *given), 2)
    assert text.startswith("error: --resource: unknown resource 'tickets'\nhint: servicenowoauth has accounts")


def test_an_unknown_instance(connect):
    assert said(connect("instances", "show", "7"), 2).startswith("error: there is no instance 7")
    assert said(connect("poll", "nobody", "--once"), 2).startswith("error: there is no instance 'nobody'")


def test_a_refused_consent(served):
    from connectory.errors import ConsentRefusedError
    from connectory.instances.login.consent import AuthorizationFlow
    from connectory.schemas import load_configuration

    _, _, configuration = served
    element = Plugins.load(["servicenowoauth"]).element("servicenowoauth")
    config = load_configuration(element, configuration | {"oauth.callback.url": "http://127.0.0.1:8723/callback"})
    flow = AuthorizationFlow(oauth=element.oauth, config=config)
    state = flow.start().state
    with pytest.raises(ConsentRefusedError) as caught:
        flow.finish(f"http://127.0.0.1:8723/callback?error=access_denied&state={state}")
    assert caught.value.exit_code == 3


def test_a_dead_refresh_token(connect, tmp_path, served):
    _, _, configuration = served
    given = configuration | {"oauth.user.refresh_token": "long-gone"}
    path = body(tmp_path, given, externalAuthentication="initial")
    text = said(connect("run", "servicenowoauth", "--once", "--file", path), 3)
    assert "the provider refused the login" in text
    assert "hint: " in text


def test_a_sandbox_that_is_asleep(connect, tmp_path, served):
    fake, _, configuration = served
    from dataclasses import replace

    fake.switches = replace(fake.switches, hibernate="page")
    given = configuration | {"oauth.user.refresh_token": "x"}
    path = body(tmp_path, given, externalAuthentication="initial")
    text = said(connect("run", "servicenowoauth", "--once", "--file", path), 4)
    assert "the token endpoint did not answer with a token\nhint: the provider may be asleep" in text


def test_a_store_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["instances", "list", "--home", str(tmp_path / "file" / "home")])
    assert said(result, 5).startswith("error: ")


def test_a_store_of_a_newer_version(connect, tmp_path):
    import sqlite3

    assert connect("instances", "list").exit_code == 0
    store = sqlite3.connect(tmp_path / "home" / "connectory.db")
    store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.commit()
    store.close()
    text = said(connect("instances", "list"), 5)
    assert "error: the store was written by a newer version of Connectory" in text
    assert "hint: upgrade Connectory" in text


def test_errors_are_json_where_that_is_asked_for(connect):
    result = connect("run", "nothing", "--json")
    assert json.loads(result.stdout.splitlines()[-1])["exitCode"] == 2


SERVICENOW_OF_THE_SEED = """
{"element":{"key":"servicenowoauth"},"providerData":{"code":"<AUTHORIZATION_GRANT_CODE>"},
 "configuration":{"oauth.callback.url":"<CALLBACK_URL>","oauth.api.key":"<CONSUMER_KEY>",
  "oauth.api.secret":"<CONSUMER_SECRET>","servicenow.subdomain":"<YOUR_SUBDOMAIN>",
  "event.notification.enabled":true,"event.notification.callback.url":"http://mycoolapp.com",
  "event.poller.refresh_interval":"<minutes>",
  "event.poller.configuration":{"accounts":{
    "url":"/hubs/helpdesk/accounts?where=sys_updated_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}'",
    "idField":"sys_id","datesConfiguration":{"updatedDateField":"sys_updated_on",
    "updatedDateFormat":"yyyy-MM-dd HH:mm:ss","createdDateField":"sys_created_on",
    "createdDateFormat":"yyyy-MM-dd HH:mm:ss"}}}},
 "tags":["<Add_Your_Tag>"],"name":"<INSTANCE_NAME>"}
"""


def test_the_documented_body_goes_in_with_its_placeholders_filled(connect, tmp_path, served):
    from urllib.parse import parse_qs, urlsplit

    fake, url, configuration = served
    callback = "http://127.0.0.1:8723/callback"
    authorize = (
        f"{url}/oauth_auth.do?response_type=code&redirect_uri={callback}&state=servicenowoauth"
        f"&client_id={configuration['oauth.api.key']}"
    )
    code = parse_qs(urlsplit(fake.consent(authorize)).query)["code"][0]
    filled = SERVICENOW_OF_THE_SEED
    for placeholder, value in {
        "<AUTHORIZATION_GRANT_CODE>": code,
        "<CALLBACK_URL>": callback,
        "<CONSUMER_KEY>": configuration["oauth.api.key"],
        "<CONSUMER_SECRET>": configuration["oauth.api.secret"],
        "<YOUR_SUBDOMAIN>": url,
        "<minutes>": "15",
        "<Add_Your_Tag>": "docs",
        "<INSTANCE_NAME>": "from the docs",
    }.items():
        filled = filled.replace(placeholder, value)
    path = tmp_path / "seed.json"
    path.write_text(filled)
    result = connect("run", "servicenowoauth", "--file", str(path), "--once", "--json")
    assert result.exit_code == 0, result.output
    shown = json.loads(connect("instances", "show", "from the docs", "--json").stdout)
    assert (shown["name"], shown["tags"]) == ("from the docs", ["docs"])
    assert [poll["resource"] for poll in shown["polls"]] == ["accounts"]
    assert shown["configuration"]["oauth.api.secret"] == "********"
    # Again: it is found, and goes on.
    again = connect("run", "servicenowoauth", "--name", "from the docs", "--once")
    assert "Using instance 1" in again.stderr
    assert connect("instances", "pause", "1").exit_code == 0
    for command in (("poll", "1", "--once"), ("run", "servicenowoauth", "--name", "from the docs", "--once")):
        assert said(connect(*command), 6).startswith("error: instance 1 is paused\nhint: `connect instances resume 1`")


def test_a_consent_that_is_refused_in_the_browser(tmp_path, served):
    import socket
    import subprocess
    import sys
    import urllib.request
    from urllib.parse import parse_qs, urlsplit

    _, _, configuration = served
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        callback = f"http://127.0.0.1:{free.getsockname()[1]}/callback"
    given = [part for key, value in configuration.items() for part in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "connectory", "run", "servicenowoauth", "--once", "--no-browser", *given]
    command += ["--set", f"oauth.callback.url={callback}", "--home", str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        address = next(line.strip() for line in running.stderr if line.strip().startswith("http"))
        state = parse_qs(urlsplit(address).query)["state"][0]
        urllib.request.urlopen(f"{callback}?error=access_denied&state={state}", timeout=10).close()
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 3, errors
    assert "error: access was not allowed: access_denied\nhint: start again, and allow access on" in errors


def test_a_full_disk(tmp_path):
    """A limit on the size of files stands for it."""
    import resource
    import subprocess
    import sys

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    command = [sys.executable, "-m", "connectory", "instances", "list", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    assert done.returncode == 5, done.stderr
    assert done.stderr.startswith("error: ")
    assert "disk" in done.stderr
    assert "Traceback" not in done.stderr
