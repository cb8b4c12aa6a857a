"""A provider whose things can be deleted, with each way to learn of it, and an engine that polls it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from marshmallow import INCLUDE, Schema
from werkzeug.wrappers import Request as WsgiRequest
from werkzeug.wrappers import Response as WsgiResponse

from connectory import BasicAuth, Element, Resource, hookimpl
from connectory.app import App
from connectory.deletes import AuditLog, Counts, Feed, Sweep, total_in_header
from connectory.instances.parts import Parts
from connectory.plugins import Plugins
from connectory.settings import Settings
from connectory.store import deletions, events, polls
from connectory.testing.clock import ManualClock
from connectory.testing.transport import wsgi_sessions

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "shelf.test"
STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"
DATES = {
    "updatedDateField": "updated",
    "updatedDateFormat": STAMP,
    "createdDateField": "created",
    "createdDateFormat": STAMP,
}
COUNT = total_in_header("X-Total-Count")
SINCE = f"since=${{gmtDate:{STAMP}}}"

LOG = AuditLog(
    log=Resource(name="removals", path="/removals", id_field="entry", updated_field="at"),
    object_field="thing.id",
    date_format=STAMP,
    query=SINCE,
    total=COUNT,
    counts=Counts.REST,
)
FEED = Feed(query=f"deleted_{SINCE}", date_field="deleted_at", date_format=STAMP, total=COUNT, counts=Counts.REST)
SWEEP = Sweep(
    params=(("fields", "id"),), total=COUNT, counts=Counts.REST, ascending=True, interval=timedelta(minutes=1)
)
WAYS = {"log": LOG, "feed": FEED, "sweep": SWEEP}


class KeysetPages:
    """Pages in the order of the ids, each of what comes after the page before."""

    def walk(self, request, query):
        request = request.with_params(limit=str(query.page_size))
        page = yield request
        while page.last is not None and page.rows < int(page.response.headers.get("X-Total-Count", 0)):
            page = yield request.with_params(after=page.last[0])


class Configuration(Schema):
    class Meta:
        unknown = INCLUDE


class ShelfPlugin:
    def __init__(self, deletes) -> None:
        self.deletes = deletes
        self.element = Element(
            key="shelf",
            name="Shelf",
            hub="general",
            base_url=f"http://{HOST}",
            config_schema=Configuration,
            paginator=KeysetPages(),
            page_size=10,
        )

    @hookimpl
    def connect_register_elements(self):
        return [self.element]

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return BasicAuth("ann", "secret")

    @hookimpl
    def connect_list_resources(self, element, config, client):
        poller = {"url": f"/hubs/general/things?{SINCE}", "idField": "id", "datesConfiguration": DATES}
        return [
            Resource(
                name="things",
                path="/things",
                updated_field="updated",
                created_field="created",
                version_field="count",
                poller=poller,
                deletes=self.deletes,
            )
        ]


class Shelf:
    """`things` by id; `removals` as the log has them. `answer` may be set to what answers in the provider's place."""

    def __init__(self, home, deletes=LOG, *, page_size: int = 10, url: str | None = None, **settings) -> None:
        self.home = home
        self.clock = ManualClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
        self.things: dict[str, dict] = {}
        self.removals: list[dict] = []
        self.asked: list[str] = []
        self.answer: Callable | None = None
        self.hidden: set[str] = set()
        self.plugins = Plugins()
        self.plugin = ShelfPlugin(deletes)
        self.plugins.register(self.plugin, "shelf")
        self.page_size = page_size
        self.environ = {"CONNECTORY_DATABASE_URL": url} if url else {}
        self.environ |= settings
        self.app = self._open()

    def _open(self) -> App:
        settings = Settings.load(self.home, self.environ)
        return App(Parts(settings, plugins=self.plugins, clock=self.clock, sessions=wsgi_sessions({HOST: self})))

    def die(self) -> None:
        self.app.parts.process._file.close()
        self.app.parts.database.close()
        self.app = self._open()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.app.close()

    # The provider

    def __call__(self, environ, start_response):
        request = WsgiRequest(environ)
        self.asked.append(request.full_path.rstrip("?"))
        response = None if self.answer is None else self.answer(request)
        response = self.respond(request) if response is None else response
        response.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        return response(environ, start_response)

    def respond(self, request) -> WsgiResponse:
        if request.path == "/removals":
            return self._list(request, [entry for entry in self.removals if entry["at"] >= request.args["since"]])
        if request.path.startswith("/things/"):
            key = request.path.removeprefix("/things/")
            found = None if key in self.hidden else self.things.get(key)
            return reply(found) if found else reply({"error": "no such thing"}, 404)
        if "deleted_since" in request.args:
            since = request.args["deleted_since"]
            gone = [{"id": entry["thing"]["id"], "deleted_at": entry["at"]} for entry in self.removals]
            return self._list(request, [entry for entry in gone if entry["deleted_at"] > since])
        since = request.args.get("since", "")
        return self._list(request, [thing for thing in self.things.values() if thing["updated"] >= since])

    def _list(self, request, rows: list[dict]) -> WsgiResponse:
        name = "entry" if request.path == "/removals" else "id"
        rest = sorted((row for row in rows if row[name] > request.args.get("after", "")), key=lambda row: row[name])
        page = rest[: int(request.args["limit"])]
        shown = [row for row in page if row[name] not in self.hidden]
        if request.args.get("fields") == "id":
            shown = [{"id": row["id"]} for row in shown]
        return reply(shown, headers={"X-Total-Count": str(len(rest))})

    def stamp(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def put(self, key: str, **more) -> None:
        before = self.things.get(key)
        count = before["count"] + 1 if before else 0
        created = before["created"] if before else self.stamp()
        self.things[key] = {
            **(before or {"id": key}),
            "updated": self.stamp(),
            "created": created,
            "count": count,
            **more,
        }

    def remove(self, key: str) -> None:
        del self.things[key]
        number = f"{len(self.removals):06}"
        self.removals.append({"entry": number, "thing": {"id": key}, "at": self.stamp(), "by": "ann"})

    # The engine

    def create(self, *, configuration: dict | None = None, **entry) -> int:
        poller = {"url": f"/hubs/general/things?{SINCE}", "idField": "id", "datesConfiguration": DATES}
        entries = {"things": poller | {"pageSize": self.page_size, "trackDeletes": True} | entry}
        return self.app.instances.create(
            {
                "element": {"key": "shelf"},
                "configuration": {
                    "event.notification.enabled": True,
                    "event.poller.refresh_interval": 1,
                    "event.poller.configuration": entries,
                    **(configuration or {}),
                },
            }
        ).id

    def poll(self, after: float = 60) -> int:
        self.clock.advance(after)
        return self.app.polls.run_due()

    def events(self) -> list[events.EventRow]:
        with self.app.parts.database.read() as connection:
            return events.find(connection, limit=None)

    def told(self) -> list[tuple[str, str, int]]:
        return [(event.object_id, event.type, event.sequence) for event in self.events()]

    def deleted(self) -> list[str]:
        return [event.object_id for event in self.events() if event.type == "DELETED"]

    def bodies(self) -> list[dict]:
        with self.app.parts.database.read() as connection:
            ids = [event.notification_id for event in events.find(connection, limit=None)]
            return [json.loads(body) for body in events.bodies_of(connection, ids).values()]

    def poll_state(self) -> polls.PollRow:
        with self.app.parts.database.read() as connection:
            return polls.find(connection)[0]

    def state(self) -> deletions.DeletionRow:
        with self.app.parts.database.read() as connection:
            (found,) = deletions.find(connection, self.poll_state().instance_id)
        return found


def reply(body: object, status: int = 200, headers: dict[str, str] | None = None) -> WsgiResponse:
    return WsgiResponse(json.dumps(body), status=status, headers=headers, content_type="application/json")
