"""A provider of a few lines, for what no real one does on demand, and its element."""

from __future__ import annotations

import json
from email.utils import format_datetime
from typing import TYPE_CHECKING

from marshmallow import Schema, fields
from werkzeug.wrappers import Request as WsgiRequest
from werkzeug.wrappers import Response as WsgiResponse

from connectory import Element, Resource, hookimpl
from connectory.app import App
from connectory.auth import BasicAuth
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.settings import Settings
from connectory.store import events, polls
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions

if TYPE_CHECKING:
    from datetime import datetime

HOST = "toy.test"
DATES = {"updatedDateField": "updated", "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"}


class OffsetPages:
    def walk(self, request, query):
        offset = 0
        while True:
            page = yield request.with_params(offset=str(offset), limit=str(query.page_size))
            offset += page.rows
            if page.rows < query.page_size:
                return


class ToyConfiguration(Schema):
    user = fields.String(data_key="user", load_default="ann")


class ToyPlugin:
    def __init__(self, **element) -> None:
        self.element = Element(
            **{
                "key": "toy",
                "name": "Toy",
                "hub": "general",
                "base_url": f"http://{HOST}",
                "config_schema": ToyConfiguration,
                "paginator": OffsetPages(),
                "page_size": 10,
            }
            | element
        )

    @hookimpl
    def connect_register_elements(self):
        return [self.element]

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return BasicAuth(config["user"], "secret")

    @hookimpl
    def connect_list_resources(self, element, config, client):
        poller = {"url": "/hubs/general/things", "idField": "id", "datesConfiguration": DATES}
        return [Resource(name="things", path="/things", updated_field="updated", poller=poller)]


class Toy:
    """`answer` may be set to what answers instead; `asked` are the moments of all requests."""

    def __init__(self, home, **element) -> None:
        self.clock = ManualClock()
        self.things: list[dict] = []
        self.asked: list[datetime] = []
        self.answer = None
        self.headers: dict[str, str] = {}
        self.plugins = Plugins()
        self.plugins.register(ToyPlugin(**element), "toy")
        self.app = App(
            Parts(
                Settings.load(home, {}),
                plugins=self.plugins,
                clock=self.clock,
                sessions=wsgi_sessions({HOST: self}),
            )
        )

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.app.close()

    def __call__(self, environ, start_response):
        request = WsgiRequest(environ)
        self.asked.append(self.clock.now())
        response = None if self.answer is None else self.answer(request)
        if response is None:
            offset, limit = int(request.args.get("offset", 0)), int(request.args.get("limit", 10))
            response = WsgiResponse(json.dumps(self.things[offset : offset + limit]), content_type="application/json")
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        response.headers.extend(self.headers)
        return response(environ, start_response)

    def create(self, **configuration) -> int:
        enabled = {"event.notification.enabled": True, "event.poller.refresh_interval": 1}
        draft = self.app.instances.prepare({"element": {"key": "toy"}, "configuration": enabled | configuration})
        return self.app.instances.establish(draft, None).id

    def add(self, count: int) -> None:
        stamp = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        first = len(self.things)
        self.things += [{"id": str(number), "updated": stamp} for number in range(first, first + count)]

    def poll(self, after: float = 60) -> int:
        self.clock.advance(after)
        return self.app.polls.run_due()

    def told(self) -> list[str]:
        with self.app.parts.database.read() as connection:
            return [event.object_id for event in events.find(connection, limit=None)]

    def states(self) -> list[polls.PollRow]:
        with self.app.parts.database.read() as connection:
            return polls.find(connection)


def too_many(retry_after: int | None = None):
    """Answers 429 to everything."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return lambda _request: WsgiResponse("", status=429, headers=headers)
