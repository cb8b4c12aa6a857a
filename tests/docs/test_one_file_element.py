"""The element of `docs/howto/write-an-element-in-one-file.md` is what the page says it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectory.app import App
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.settings import Settings
from connectory.store import events
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions
from onefile import blocks, load_page

HOST = "127.0.0.1:8092"


@pytest.fixture(scope="module")
def plugin():
    return load_page()


def test_it_is_short():
    assert len([line for line in blocks()[0].splitlines() if line.strip()]) < 80


def test_it_is_polled_against_its_own_sandbox(plugin, tmp_path):
    plugins, clock = Plugins(), ManualClock(datetime.now(UTC))
    assert plugins.register(plugin, "acme").quarantined is None
    fake = plugins.open_sandbox(plugins.element("acme"))
    fake.clock.source = clock
    app = App(Parts(Settings.load(tmp_path, {}), plugins=plugins, clock=clock, sessions=wsgi_sessions({HOST: fake})))
    try:
        configuration = fake.configuration(f"http://{HOST}") | {
            "oauth.callback.url": "http://127.0.0.1:5000/done",
            "event.notification.enabled": True,
            "event.poller.refresh_interval": 1,
        }
        draft = app.instances.prepare({"element": {"key": "acme"}, "configuration": configuration})
        flow = app.instances.flow(draft)
        app.instances.establish(draft, flow.finish(fake.consent(flow.start().url)))
        clock.advance(5)
        made = {fake.tables["orders"].insert({"name": f"{number}"})["id"] for number in range(230)}
        changed = fake.tables["customers"].rows()[0]["id"]
        fake.tables["customers"].update(changed, {"name": "New"})
        for _ in range(2):
            clock.advance(60)
            app.polls.run_due()
        with app.parts.database.read() as connection:
            told = [(event.resource, event.object_id, event.type) for event in events.find(connection, limit=None)]
    finally:
        app.close()
    assert sorted(told) == sorted([("customers", changed, "UPDATED"), *(("orders", one, "CREATED") for one in made)])


def test_the_variant_with_a_key(plugin):
    from connectory import Secret

    assert repr(plugin.build_key_auth({"acme.key": Secret("k")})) == "ApiKeyAuth(header='X-Api-Key')"
