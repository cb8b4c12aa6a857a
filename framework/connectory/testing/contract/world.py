"""The world of a check: the element, its sandbox, and an application on a new store, all on one clock."""

from __future__ import annotations

import contextlib
import copy
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import msgspec
import pytest

from ... import hints
from ...app import LOOPBACK_CALLBACK
from ...errors import ConnectoryError
from ...model import Request, Window, resolve_endpoint
from ...records.fetch import fetch
from ...schemas import OAUTH_CALLBACK_URL, load_configuration
from ..clock import ManualClock
from ..stores import open_app
from ..transport import wsgi_sessions
from .announced import Announced
from .failing import broken, crashed, demand
from .gateway import Gateway, Trouble, instead
from .loading import BASE_URL, HOST, NO_RESOURCE, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ...app import App, Draft
    from ...auth import Token
    from ...http import Client
    from ...instances.runtime import Runtime
    from ...model import Config, Resource
    from ...plans.plan import Plan
    from ...records.fetch import FetchedPage
    from .testclass import Contract

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


class World(Announced):
    """`contract` is an instance of the test class, `check` the name of the check that runs in this world."""

    def __init__(self, contract: Contract, home: Path, check: str) -> None:
        self.contract = contract
        self.home = home
        self.check = check
        loaded = load(contract)
        self.plugins, self.element, self.sandbox = loaded.plugins, loaded.element, loaded.sandbox
        self.clock = ManualClock(_next_noon())
        self._shift = timedelta(0)
        self.gateway = Gateway(self.sandbox)
        contract.set_clock(self.sandbox, self.provider_now)
        self.gateway.login_paths = self._login_paths()
        self.app = self._open()

    def close(self) -> None:
        self.app.close()

    def restart(self) -> None:
        """Close the application and open another one on the same store, as after a restart of the machine."""
        self.app.close()
        self.app = self._open()

    def _open(self) -> App:
        sessions = wsgi_sessions({HOST: self.gateway})
        return open_app(self.home, plugins=self.plugins, clock=self.clock, sessions=sessions)

    def _login_paths(self) -> frozenset[str]:
        oauth = self.element.oauth
        if oauth is None:
            return frozenset()
        endpoints = [oauth.authorize_url, oauth.token_url, *([oauth.revoke_url] if oauth.revoke_url else [])]
        return frozenset(urlsplit(resolve_endpoint(endpoint, self.config)).path for endpoint in endpoints)

    def skip(self, reason: str) -> NoReturn:
        """Skip a check that does not apply; fail if the test class does not allow that (`may_skip`)."""
        may_skip = self.contract.may_skip
        if may_skip is not None and self.check not in may_skip:
            broken(
                f"{self.check} was skipped: {reason}",
                "change the element or the sandbox so that it applies, or name it in `may_skip`",
            )
        pytest.skip(reason)

    # Time

    def provider_now(self) -> datetime:
        return self.clock.now() + self._shift

    @contextlib.contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Run the block while the provider's clock shows this moment."""
        self._shift = moment - self.clock.now()
        try:
            yield
        finally:
            self._shift = timedelta(0)

    # Configuration and instances

    def configuration(self, **more: Any) -> dict[str, Any]:
        """The configuration of an instance of the sandbox. It polls nothing unless `more` says so."""
        own = {**self.sandbox.configuration(BASE_URL), **self.contract.configuration}
        if self.element.oauth is not None:
            own.setdefault(OAUTH_CALLBACK_URL, LOOPBACK_CALLBACK)
        return own | more

    @cached_property
    def config(self) -> Config:
        return load_configuration(self.element, self.configuration())

    def prepare(self, configuration: Mapping[str, Any] | None = None) -> Draft:
        body = {"element": {"key": self.element.key}, "configuration": configuration or self.configuration()}
        return self.app.instances.prepare(body)

    def log_in(self, draft: Draft) -> Token | None:
        """Log in with a draft, with a consent if it needs one."""
        return self.app.instances.log_in(
            draft, lambda flow: flow.finish(self.contract.consent(self.sandbox, flow.start().url))
        )

    def establish(self, configuration: Mapping[str, Any] | None = None) -> int:
        """Create an instance with its login, and return its id."""
        draft = self.prepare(configuration)
        return self.app.instances.establish(draft, self.log_in(draft)).id

    @cached_property
    def instance(self) -> int:
        """The id of an instance that polls nothing. Its default poller entries are compiled and can be read."""
        try:
            return self.establish()
        except ConnectoryError as error:
            broken(
                f"no instance can be made with the sandbox's own configuration: {error}",
                "check that the sandbox's configuration(), its OAuth2 server and the element fit together",
            )

    @property
    def runtime(self) -> Runtime:
        return self.app.parts.runtimes.get(self.instance)

    @property
    def client(self) -> Client:
        return self.runtime.client

    # Resources

    @cached_property
    def resources(self) -> Mapping[str, Resource]:
        return self.plugins.list_resources(self.element, self.config)

    def resource(self, name: str) -> Resource:
        if name == NO_RESOURCE:
            broken("no resource of the element can be polled by default", "give one of its Resources a `poller` entry")
        try:
            return self.resources[name]
        except KeyError:
            broken(
                f"the element has no resource {name!r}; it has {', '.join(self.resources) or 'none'}",
                "correct `resources` in the test class, or connect_list_resources",
            )

    def entry(self, name: str, **more: Any) -> dict[str, Any]:
        """The default poller entry of a resource, with changes."""
        poller = self.resource(name).poller
        if poller is None:
            broken(
                f"{name} has no default poller entry, so it is not polled unless a user writes one",
                "give the Resource a `poller`, or leave it out of `resources`",
            )
        return copy.deepcopy(dict(poller)) | more

    def plan(self, name: str) -> Plan:
        try:
            return self.runtime.plans[name]
        except KeyError:
            self.entry(name)
            raise

    # Reading

    def window(self, start: datetime = LONG_AGO) -> Window:
        return Window(start=start, end=self.clock.now())

    def pages(self, name: str, page_size: int | None = None, window: Window | None = None) -> Iterator[FetchedPage]:
        """The pages of a list, as read by a poll of this window."""
        try:
            yield from fetch(self.plan(name), window or self.window(), self.client, page_size)
        except ConnectoryError as error:
            if self.gateway.is_exhausted:
                broken(
                    f"the list of {name} does not end: {self.gateway.count} requests were made",
                    "the paginator must stop after a short page, when there is no next page, or at the total;"
                    " set repeats_last_page of PageNumber if the provider repeats its last page",
                )
            broken(
                f"the list of {name} cannot be read to its end: {error}",
                "compare what the element asks for with the sandbox's log: path, records_path, paginator, judge",
            )

    def ids(self, name: str, page_size: int | None = None, window: Window | None = None) -> list[str]:
        """The ids of a list in its order; an id that comes twice is in it twice."""
        found: list[str] = []
        for page in self.pages(name, page_size, window):
            found += [object_id for object_id in page.records.ids if object_id is not None]
        return found

    def records(self, name: str, window: Window | None = None) -> dict[str, dict[str, Any]]:
        """The records of a list by their ids, decoded."""
        found: dict[str, dict[str, Any]] = {}
        for page in self.pages(name, None, window):
            for object_id, raw in zip(page.records.ids, page.records.raws, strict=True):
                if object_id is not None:
                    found[object_id] = msgspec.json.decode(raw)
        return found

    # Changing

    def create(self, name: str) -> str:
        """Create a record with `create` of the test class, check its id, and advance the clock by a second."""
        self.resource(name)
        made: Any = self.contract.create(self.sandbox, name)
        demand(
            isinstance(made, str) and made != "",
            f"create() of {name} returned {made!r}",
            "return the id of the new record, a string, from create() of the test class",
        )
        self.clock.advance(1)
        return str(made)

    def create_many(self, name: str, count: int) -> list[str]:
        return [self.create(name) for _ in range(count)]

    def update(self, name: str, record_id: str) -> None:
        self.contract.update(self.sandbox, name, record_id)
        self.clock.advance(1)

    def delete(self, name: str, record_id: str) -> None:
        self.contract.delete(self.sandbox, name, record_id)
        self.clock.advance(1)

    # Polling

    def watch(self, name: str, **more: Any) -> int:
        """Create an instance that polls one resource, and run its first poll, which announces no older records."""
        instance_id = self.establish(
            self.configuration(
                **{
                    "event.notification.enabled": True,
                    "event.poller.refresh_interval": 1,
                    "event.poller.configuration": {name: self.entry(name, **more)},
                }
            )
        )
        self.poll()
        return instance_id

    def poll(self) -> None:
        """Advance the clock until a poll is due that sees all changes, and run it. It must succeed."""
        self.try_to_poll()
        for state in self.states():
            if state.failure:
                broken(
                    f"the poll of {state.resource} failed: {state.failure}",
                    hints.EXPLAIN_POLL,
                )

    def try_to_poll(self, after: float = 0) -> None:
        self.clock.advance(max(60, after, self.element.settle.total_seconds() + 5))
        self.app.polls.run_due()

    # Trouble

    def error(
        self, status: int, message: str = "something is wrong", headers: Mapping[str, str] | None = None
    ) -> Trouble:
        """An error in the provider's format instead of an answer."""
        reply = self.contract.error(self.sandbox, status, message)
        reply.headers.update(headers or {})
        return instead(reply)

    def ask(self, name: str, *troubles: Trouble | None) -> Any:
        """Ask for the first page of a list with these troubles; return the answer or the error."""
        request, _ = self.plan(name).request(self.window())
        return self.exchange(request, *troubles)

    def exchange(self, request: Request, *troubles: Trouble | None) -> Any:
        client = self.client
        self.gateway.script(*troubles)
        try:
            return client.send(request)
        except ConnectoryError as error:
            return error
        finally:
            self.gateway.troubles.clear()


def _next_noon() -> datetime:
    """A moment after all records of a new sandbox, at an hour that no change of daylight saving time repeats."""
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


@contextlib.contextmanager
def open_world(contract: Contract, home: Path, check: str) -> Iterator[World]:
    """A world for one check, while the `with` block runs."""
    try:
        world = World(contract, home, check)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        crashed(error)
    try:
        yield world
    finally:
        world.close()
