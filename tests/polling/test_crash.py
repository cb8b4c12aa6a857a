"""A poll of three pages is killed before and after each statement and each request, then resumed."""

from __future__ import annotations

import contextlib
import gc
import sqlite3

import pytest
from sqlalchemy import event

from connectory.testing.transport import WsgiAdapter
from world import Snow, entry

pytestmark = pytest.mark.usefixtures("small_heap")


class Killed(BaseException):
    """Like SIGKILL: nobody's `except Exception` sees it."""


class Killer:
    """Counts the points at which a process can die, and dies at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0
        self.places: list[str] = []
        self.open: set = set()

    def bury(self) -> None:
        """Close what the dead process had open, as the system would: what was not committed is gone."""
        # A cursor that a traceback still holds would keep its connection's lock.
        gc.collect()
        for connection in self.open:
            with contextlib.suppress(sqlite3.ProgrammingError):  # SQLAlchemy has closed some itself
                connection.rollback()
                connection.close()

    def point(self, place: str) -> None:
        self.places.append(place)
        self.passed += 1
        if self.passed - 1 == self.at:
            raise Killed(place)

    @contextlib.contextmanager
    def watching(self, snow: Snow, monkeypatch):
        engine = snow.app.parts.database.engine

        def before(_connection, cursor, statement, *_more):
            self.open.add(cursor.connection)
            self.point(f"before {statement[:40]}")

        def after(_connection, _cursor, statement, *_more):
            self.point(f"after {statement[:40]}")

        def commit(_connection):
            self.point("before commit")

        send = WsgiAdapter.send

        def sending(adapter, request, *args, **options):
            self.point("before request")
            response = send(adapter, request, *args, **options)
            self.point("after request")
            return response

        listeners = [("before_cursor_execute", before), ("after_cursor_execute", after), ("commit", commit)]
        for name, listener in listeners:
            event.listen(engine, name, listener)
        with monkeypatch.context() as patched:
            patched.setattr(WsgiAdapter, "send", sending)
            try:
                yield
            finally:
                for name, listener in listeners:
                    event.remove(engine, name, listener)


def prepare(folder) -> Snow:
    """A world in which the next poll has three pages: new incidents and old ones that changed."""
    snow = Snow(folder, incidents=6)
    callback = {"event.notification.callback.url": "http://127.0.0.1:9/"}
    snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=10)}}, **callback)
    snow.poll()
    for incident in list(snow.sandbox.tables["incident"])[:5]:
        snow.sandbox.update("incident", incident, {"short_description": "changed"})
    for number in range(18):
        snow.sandbox.insert("incident", {"short_description": f"new {number}"})
    return snow


def settle(snow: Snow) -> None:
    for _ in range(3):
        snow.poll()


def outcome(snow: Snow) -> list[tuple[str, str, int]]:
    return sorted((told[0], told[2], told[3]) for told in snow.told())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What is announced when nothing dies, and how many points a poll has."""
    killer = Killer()
    patch = pytest.MonkeyPatch()
    with prepare(tmp_path_factory.mktemp("calm")) as snow:
        snow.clock.advance(60)
        with killer.watching(snow, patch):
            snow.app.polls.run_due()
        settle(snow)
        assert killer.places.count("before request") == 3
        return outcome(snow), killer.passed


def test_the_same_events_whenever_it_is_killed(undisturbed, tmp_path, monkeypatch):
    expected, points = undisturbed
    assert len(expected) == 23
    assert points > 40
    for at in range(points):
        with prepare(tmp_path / str(at)) as snow:
            snow.clock.advance(60)
            killer = Killer(at)
            with killer.watching(snow, monkeypatch), contextlib.suppress(Killed):
                snow.app.polls.run_due()
            assert killer.passed == at + 1
            killer.bury()
            snow.die()
            settle(snow)
            told = snow.told()
            assert outcome(snow) == expected, f"killed {killer.places[-1]}"
            assert len({(resource, key, sequence) for resource, key, _, sequence in told}) == len(told)
