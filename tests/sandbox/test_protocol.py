"""What `connect` asks of a sandbox, and how it gets along with one that can do little."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from marshmallow import Schema

import connectory
from connectory.app import Elements
from connectory.cli import consent
from connectory.cli.sandbox import people
from connectory.errors import ConfigurationError
from connectory.plugins import Plugins
from connectory.sandbox import Sandbox
from connectory.sandbox.protocol import HasFaults, PlaysLogin, ProviderSandbox, ShowsLogin, TakesSteps

OPTIONAL = [PlaysLogin, ShowsLogin, TakesSteps, HasFaults]


class Plain:
    """A sandbox that does only what it has to."""

    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return []

    def configuration(self, base_url):
        return {"base.url": base_url}


class PlainPlugin:
    @connectory.hookimpl
    def connect_register_elements(self):
        return [
            connectory.Element(
                key="plain", name="Plain", hub="general", base_url="http://plain.test", config_schema=Schema
            )
        ]

    @connectory.hookimpl
    def connect_open_sandbox(self, element):
        return Plain()


@pytest.fixture
def elements():
    plugins = Plugins()
    plugins.register(PlainPlugin(), "plain")
    return Elements(plugins)


def test_a_sandbox_of_the_base_does_all_of_it():
    sandbox = Sandbox()
    assert all(isinstance(sandbox, one) for one in [ProviderSandbox, *OPTIONAL])


def test_a_sandbox_may_do_less():
    assert isinstance(Plain(), ProviderSandbox)
    assert not any(isinstance(Plain(), one) for one in OPTIONAL)
    assert not isinstance(SimpleNamespace(configuration=dict), ProviderSandbox)


def test_faults_are_refused_where_a_sandbox_has_none(elements):
    assert isinstance(elements.open_sandbox("plain"), Plain)
    with pytest.raises(ConfigurationError, match="the sandbox of plain has no faults"):
        elements.open_sandbox("plain", ["teapot"])


def test_nobody_works_in_a_sandbox_without_steps():
    before = threading.active_count()
    with people(Plain(), 0.001, print, threading.Event()):
        assert threading.active_count() == before


def test_without_a_login_of_its_own_a_person_logs_in(monkeypatch):
    from connectory.schemas import OAUTH_CALLBACK_URL

    monkeypatch.setattr(consent, "ask", lambda *_arguments, **_options: "a person's token")
    draft = SimpleNamespace(config={OAUTH_CALLBACK_URL: "http://127.0.0.1:8723/"})
    flow = SimpleNamespace(start=lambda: SimpleNamespace(url="http://plain.test/login"), finish=lambda url: url)
    assert consent.asker(draft, None, fake=Plain())(flow) == "a person's token"
    knowing = SimpleNamespace(consent=lambda url: f"{url}?code=1")
    assert consent.asker(draft, None, fake=knowing)(flow) == "http://plain.test/login?code=1"
