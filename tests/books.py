"""A sandboxed Sage and an engine on one clock that stands still, without sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import select
from werkzeug.test import Client as Browser

from connectory.app import App
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.settings import Settings
from connectory.store import events, polls
from connectory.store.tables import notifications
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions
from connectory_sageone.sandbox import create_sandbox

HOST = "127.0.0.1:8091"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SEED_FILE = Path(__file__).parent / "plugins" / "sageone" / "seed.json"


class Books:
    """`poll()` runs what is due after moving the clock past the interval; `told()` is what was announced so far."""

    def __init__(self, home, **sandbox) -> None:
        self.clock = ManualClock(NOON)
        sizes = {"contacts": 4, "products": 2, "invoices": 2} | sandbox
        self.sandbox = create_sandbox(clock=self.clock, **sizes)
        self.app = App(
            Parts(
                Settings.load(home, {}),
                plugins=Plugins.load(["sageone"]),
                clock=self.clock,
                sessions=wsgi_sessions({HOST: self.sandbox}),
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error) -> None:
        self.app.close()

    def body(self, *resources: str, entries: dict | None = None, **more) -> dict:
        """The body of POST /instances; the documented entries of these resources, customers by default."""
        plugins = self.app.parts.plugins
        known = plugins.list_resources(plugins.element("sageone"), {"sageone.api": self.sandbox.api})
        found = {name: dict(known[name].poller) for name in resources or ("customers",)} if entries is None else entries
        configuration = {
            **self.sandbox.configuration(f"http://{HOST}"),
            "oauth.callback.url": "http://127.0.0.1:5000/done",
            "event.notification.enabled": True,
            "event.poller.refresh_interval": 1,
            "event.poller.configuration": found,
        }
        return {"element": {"key": "sageone"}, "configuration": configuration | more}

    def create(self, *resources: str, entries: dict | None = None, **more) -> int:
        """An instance that a person has logged in."""
        return self.establish(self.body(*resources, entries=entries, **more))

    def establish(self, body: dict) -> int:
        draft = self.app.instances.prepare(body)
        flow = self.app.instances.flow(draft)
        return self.app.instances.establish(draft, flow.finish(self.sandbox.consent(flow.start().url))).id

    def poll(self, after: float = 60) -> int:
        self.clock.advance(after)
        return self.app.polls.run_due()

    def told(self) -> list[tuple[str, str, str]]:
        """Resource, id and type of each event, in the order in which they were announced."""
        with self.app.parts.database.read() as connection:
            return [(event.resource, event.object_id, event.type) for event in events.find(connection, limit=None)]

    def records(self, resource: str = "customers") -> list[dict]:
        """The records that notifications carry."""
        with self.app.parts.database.read() as connection:
            bodies = connection.execute(select(notifications.c.body).order_by(notifications.c.id)).scalars()
            return [record for body in bodies for record in json.loads(body)["message"]["raw"][resource]]

    def state(self) -> polls.PollRow:
        with self.app.parts.database.read() as connection:
            return polls.find(connection)[0]

    def asked(self, path: str):
        """The requests for a path below the API's."""
        return [entry for entry in self.sandbox.log.entries if entry.path == f"{self.sandbox.base}{path}"]

    def customer(self, **values) -> str:
        kind = self.sandbox.refer("contact_types", "CUSTOMER")
        return self.sandbox.insert("contacts", {"name": "New", "contact_types": [kind]} | values)["id"]

    def switch(self, **switches) -> None:
        self.sandbox.switches = replace(self.sandbox.switches, **switches)


class Caller:
    """Calls the sandbox's API as its user."""

    def __init__(self, sandbox, clock, **query) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.browser = Browser(sandbox)
        self.token = self.log_in(**query)["access_token"]

    def log_in(self, **query) -> dict:
        return self.post("/token", self.code_form(**query)).json

    def code_form(self, **query) -> dict:
        from urllib.parse import parse_qs, urlencode, urlsplit

        asked = {
            "client_id": "sandbox-client",
            "response_type": "code",
            "redirect_uri": "http://127.0.0.1:5000/done",
            "filter": "apiv3.1",
        } | query
        answer = self.sandbox.consent(f"http://{HOST}/oauth2/auth/central?{urlencode(asked)}")
        form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(answer).query)["code"][0]}
        return form | {"redirect_uri": asked["redirect_uri"]}

    def post(self, path: str, form: dict):
        client = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return self.browser.post(path, data=client | form)

    def call(self, path: str, method: str = "GET", headers: dict | None = None, **more):
        given = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        return self.browser.open(f"/v3.1{path}", method=method, headers=given, buffered=True, **more)

    def get(self, path: str, **params):
        reply = self.call(path, query_string=params)
        assert reply.status_code == 200, reply.text
        return reply.json
