"""A small world for tests: a sandboxed ServiceNow, an engine on a store of its own, and one clock for both."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from connectory import Secret, Token
from connectory.app import App
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.settings import Settings
from connectory.store import events, polls
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions
from connectory_servicenow.sandbox import create_sandbox

HOST = "127.0.0.1:8080"
FORMAT = "yyyy-MM-dd HH:mm:ss"
DATES = {
    "updatedDateField": "sys_updated_on",
    "updatedDateFormat": FORMAT,
    "createdDateField": "sys_created_on",
    "createdDateFormat": FORMAT,
}


def entry(resource: str, **more) -> dict:
    """The documented poller entry of a resource."""
    return {
        "url": f"/hubs/helpdesk/{resource}?where=sys_updated_on>'${{gmtDate:yyyy-MM-dd'T'HH:mm:ss}}'",
        "idField": "sys_id",
        "datesConfiguration": DATES,
    } | more


class Snow:
    """`poll()` runs what is due after moving the clock past the interval; `told()` is what was announced so far."""

    def __init__(self, home, *, incidents: int = 3, start: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self.home = home
        self.clock = ManualClock(start)
        self.sandbox = create_sandbox(clock=self.clock, incidents=incidents, companies=2, users=3)
        self.sandbox.switches = replace(
            self.sandbox.switches, oauth=replace(self.sandbox.switches.oauth, access_ttl=10**8)
        )
        self.applications = {HOST: self.sandbox}
        self.app = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error) -> None:
        self.app.close()

    def _open(self) -> App:
        return App(
            Parts(
                Settings.load(self.home, {}),
                plugins=Plugins.load(["servicenowoauth"]),
                clock=self.clock,
                sessions=wsgi_sessions(self.applications),
            )
        )

    def die(self) -> None:
        """End as a killed process does: nothing is given up, only the lock on the owner's file is gone."""
        self.app.parts.process._file.close()
        self.app.parts.database.close()
        self.app = self._open()

    def configuration(self, *resources: str, **more) -> dict:
        return {
            "servicenow.subdomain": f"http://{HOST}",
            "oauth.api.key": "sandbox-client",
            "oauth.api.secret": "sandbox-secret",
            "event.notification.enabled": True,
            "event.poller.refresh_interval": 1,
            "event.poller.configuration": {name: entry(name) for name in resources or ("incidents",)},
        } | more

    def token(self) -> Token:
        from werkzeug.test import Client

        answer = Client(self.sandbox).post(
            "/oauth_token.do",
            data={
                "grant_type": "password",
                "username": "integration",
                "password": "integration",
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
            },
        )
        body = json.loads(answer.get_data())
        return Token(access_token=Secret(body["access_token"]), refresh_token=Secret(body["refresh_token"]))

    def create(self, *resources: str, **more) -> int:
        """An instance that polls these resources, incidents by default."""
        draft = self.app.instances.prepare(
            {"element": {"key": "servicenowoauth"}, "configuration": self.configuration(*resources, **more)}
        )
        return self.app.instances.establish(draft, self.token()).id

    def poll(self, after: timedelta | float = 60) -> int:
        """Let time pass, then poll what is due; returns how many polls ran."""
        self.clock.advance(after)
        return self.app.polls.run_due()

    def told(self) -> list[tuple[str, str, str, int]]:
        """Resource, id, type and sequence of each event, in the order in which they were announced."""
        with self.app.parts.database.read() as connection:
            found = events.find(connection, limit=None)
        return [(event.resource, event.object_id, event.type, event.sequence) for event in found]

    def state(self, resource: str = "incidents") -> polls.PollRow:
        with self.app.parts.database.read() as connection:
            return next(poll for poll in polls.find(connection) if poll.resource == resource)

    @contextlib.contextmanager
    def switched(self, **switches):
        """With these switches of the sandbox set for a while."""
        before = self.sandbox.switches
        self.sandbox.switches = replace(before, **switches)
        try:
            yield
        finally:
            self.sandbox.switches = before

    def requests(self) -> int:
        """How many API requests the sandbox has answered."""
        return len([call for call in self.sandbox.log.entries if "/table/" in call.path])
