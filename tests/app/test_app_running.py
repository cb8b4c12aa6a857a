"""The application as a whole: opening it, running it, and looking into it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

import connectory
from connectory import hookimpl
from connectory.app import App, CheckState, Observer
from connectory.errors import ConflictError, NotFoundError, StoreError
from connectory.plugins import Plugins
from connectory.receiver.receiver import Receiver
from connectory.sandbox.serving import Served
from connectory.store.database import Database
from toy import Toy
from world import Snow

SECONDS = 30
"""How long a test waits at most for what a thread does. Clocks stand still, so it takes a moment only."""


class Inbox:
    """Verifies notifications; it refuses the first `failures` of them."""

    def __init__(self, clock) -> None:
        self.failures = 0
        self.received = []
        self.receiver = Receiver([b"key"], self._take, now=clock.now)

    def _take(self, received) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the disk is full")
        self.received.append(received)

    @property
    def events(self) -> list[str]:
        return [event["objectId"] for one in self.received if one.verified for event in one.events]


@contextmanager
def served_inbox(clock):
    inbox = Inbox(clock)
    with Served(inbox.receiver) as served:
        inbox.configuration = {
            "event.notification.callback.url": f"{served.url}/events",
            "event.notification.signature.key": "key",
        }
        yield inbox


@pytest.fixture
def inbox(snow):
    with served_inbox(snow.clock) as opened:
        yield opened


class Stopping(Observer):
    """Sets `stop` as soon as something has happened of the given kind."""

    def __init__(self, stop: threading.Event, kind: str) -> None:
        setattr(self, kind, lambda _told: stop.set())


def insert(snow) -> str:
    snow.clock.advance(10)
    return snow.sandbox.insert("incident", {})["sys_id"]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"polling", "delivering"}


def broken(*_arguments, **_options):
    raise StoreError("the disk is gone")


# Opening


def test_a_store_is_made_where_there_is_none_and_kept(tmp_path):
    home = tmp_path / "new" / "home"
    with Snow(home) as snow:
        snow.create()
    with connectory.open(home, plugins=Plugins.load(["servicenowoauth"])) as app:
        assert [one.id for one in app.instances.find()] == [1]
        assert list((home / "processes").glob("*"))
    assert not list((home / "processes").glob("*"))


def test_the_home_is_that_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CONNECTORY_HOME", str(tmp_path / "there"))
    with connectory.open() as app:
        assert app.parts.settings.home == tmp_path / "there"
    assert (tmp_path / "there").is_dir()


def test_another_database_can_be_named(tmp_path):
    with connectory.open(tmp_path, f"sqlite:///{tmp_path}/other.db") as app:
        assert app.instances.find() == []
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "connectory.db").exists()


def test_a_database_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(StoreError):
        connectory.open(tmp_path, f"sqlite:///{tmp_path}/no/such/folder/store.db")


def test_who_changes_what_can_be_decided_when_opening(tmp_path):
    def allows(act):
        if act.actor != "ann":
            raise ConflictError(f"{act.actor} may not do {act.name}")

    with Snow(tmp_path) as snow:
        instance = snow.create()
    with connectory.open(tmp_path, actor="bob", allows=allows) as app:
        with pytest.raises(ConflictError, match=r"bob may not do instances\.pause"):
            app.instances.pause(instance)
        assert app.instances.pause(instance, actor="ann").disabled


# Running


def test_it_polls_and_delivers_until_it_is_stopped(snow, inbox):
    snow.create(**inbox.configuration)
    made, stop = insert(snow), threading.Event()
    snow.app.run(stop, observer=Stopping(stop, "attempted"))
    assert inbox.events == [made]
    assert (snow.app.deliveries.pending(), threads()) == (0, set())
    assert snow.state().lease_owner is None


def test_what_was_found_is_delivered_before_it_ends(snow, inbox):
    snow.create(**inbox.configuration)
    made, stop = insert(snow), threading.Event()
    inbox.failures = 1
    snow.app.run(stop, observer=Stopping(stop, "announced"))
    assert inbox.events == [made]


def test_retries_that_are_far_away_are_left_for_the_next_run(snow, inbox):
    snow.create(**inbox.configuration)
    made, stop = insert(snow), threading.Event()
    inbox.failures = 6
    snow.app.run(stop, observer=Stopping(stop, "announced"), grace=timedelta(seconds=5))
    assert (inbox.events, snow.app.deliveries.pending()) == ([], 1)
    inbox.failures = 0
    assert snow.app.drain(timedelta(hours=1))
    assert inbox.events == [made]


def test_only_some_instances_are_run(snow, inbox):
    ours, other = snow.create(**inbox.configuration), snow.create()
    insert(snow)
    stop = threading.Event()
    snow.app.run(stop, instances=[ours], observer=Stopping(stop, "attempted"))
    assert {event.instance_id for event in snow.app.events.find()} == {ours}
    assert snow.app.instances.get(other).polls[0].last_poll is None


@pytest.mark.parametrize("call", ["run_once", "drain", "run", "running"])
def test_an_instance_that_there_is_not_is_not_run(snow, call):
    arguments = {"drain": [timedelta(0)], "run": [threading.Event()]}.get(call, [])
    with pytest.raises(NotFoundError, match="99"):
        enter(getattr(snow.app, call)(*arguments, instances=[99]))
    assert threads() == set()


def enter(context) -> None:
    with context:
        pass


def test_what_ends_the_work_is_raised(snow, monkeypatch):
    snow.create()
    stop = threading.Event()
    monkeypatch.setattr(Database, "read", broken)
    with pytest.raises(StoreError, match="the disk is gone"):
        snow.app.run(stop)
    assert (stop.is_set(), threads()) == (True, set())


def test_what_ends_the_work_is_known_while_it_runs(snow, monkeypatch):
    snow.create()
    running = snow.app.running()
    threads = running.__enter__()
    threads.check()
    monkeypatch.setattr(Database, "read", broken)
    assert threads.ended.wait(SECONDS)
    with pytest.raises(StoreError, match="the disk is gone"):
        threads.check()
    with pytest.raises(StoreError, match="the disk is gone"):
        running.__exit__(None, None, None)


def test_an_error_of_the_program_ends_the_threads_and_is_the_one_that_is_raised(snow):
    snow.create()
    seen = []

    def work() -> None:
        with snow.app.running():
            seen.append(threads())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert (seen, threads()) == ([{"polling", "delivering"}], set())


def test_events_are_delivered_while_it_runs(snow, inbox):
    snow.create(**inbox.configuration)
    made, arrived = insert(snow), threading.Event()
    with snow.app.running(observer=Stopping(arrived, "attempted")):
        assert arrived.wait(SECONDS)
    assert inbox.events == [made]


def test_what_is_due_is_polled_once_and_delivered(snow, inbox):
    instance = snow.create("incidents", "accounts", **inbox.configuration)
    other = snow.create()
    made = insert(snow)
    snow.clock.advance(60)
    inbox.failures = 1
    assert snow.app.run_once(instances=[instance]) == 2
    assert inbox.events == [made]
    assert snow.app.run_once(instances=[instance]) == 0
    assert snow.app.instances.get(other).polls[0].last_poll is None


def test_one_look_waits_no_longer_than_it_may(snow, inbox):
    snow.create(**inbox.configuration)
    insert(snow)
    snow.clock.advance(60)
    inbox.failures, stop = 99, threading.Event()
    stop.set()
    begun = snow.clock.now()
    snow.app.run_once(stop=stop)
    assert (snow.clock.now(), inbox.failures) == (begun, 99)
    snow.app.run_once(grace=timedelta(seconds=10))
    assert snow.clock.now() - begun <= timedelta(seconds=10)
    assert inbox.failures == 97


def test_draining_says_whether_everything_arrived(snow, inbox):
    snow.create(**inbox.configuration)
    made = insert(snow)
    snow.poll()
    inbox.failures = 1
    assert not snow.app.drain(timedelta(seconds=2))
    assert snow.app.drain(timedelta(seconds=10))
    assert snow.app.drain(timedelta(0))
    assert inbox.events == [made]


# Plugins


class Listening:
    """A plugin without elements."""

    def __init__(self) -> None:
        self.heard = []

    @hookimpl
    def connect_engine_starting(self, app):
        self.heard.append(("starting", app))

    @hookimpl
    def connect_poll_finished(self, instance, resource, summary):
        self.heard.append(("polled", instance.id, resource.name, summary.get("updated", 0)))

    @hookimpl
    def connect_delivery_finished(self, notification, attempt):
        self.heard.append(("sent", notification["instanceId"], attempt["delivered"], attempt["status"]))


def run_until_delivered(app: App) -> None:
    stop = threading.Event()
    app.run(stop, observer=Stopping(stop, "attempted"))


def run_in_a_block(app: App) -> None:
    arrived = threading.Event()
    with app.running(observer=Stopping(arrived, "attempted")):
        assert arrived.wait(SECONDS)


@pytest.mark.parametrize("drive", [App.run_once, run_until_delivered, run_in_a_block])
def test_a_plugin_without_elements_hears_it_from_a_program(tmp_path, drive):
    with Toy(tmp_path) as toy, served_inbox(toy.clock) as inbox:
        plugin = Listening()
        assert toy.plugins.register(plugin, "listening").quarantined is None
        instance = toy.create(**inbox.configuration)
        toy.add(1)
        toy.clock.advance(60)
        drive(toy.app)
        assert plugin.heard[0] == ("starting", toy.app)
        assert ("polled", instance, "things", 1) in plugin.heard
        assert plugin.heard.count(("sent", instance, True, 200)) == 1
        toy.app.run_once()
        assert [one[0] for one in plugin.heard].count("starting") == 1
        assert inbox.events == ["0"]


def test_an_observer_that_fails_keeps_nothing_from_the_plugins(tmp_path, caplog):
    class Failing(Observer):
        def attempted(self, attempt):
            raise ZeroDivisionError

    with Toy(tmp_path) as toy, served_inbox(toy.clock) as inbox:
        plugin = Listening()
        toy.plugins.register(plugin, "listening")
        instance = toy.create(**inbox.configuration)
        toy.add(1)
        toy.clock.advance(60)
        toy.app.run_once(observer=Failing())
        assert ("sent", instance, True, 200) in plugin.heard
    assert "ZeroDivisionError" in caplog.text


# Looking into it


def test_the_next_poll_is_explained(snow):
    instance = snow.create()
    insert(snow)
    snow.clock.advance(60)
    found = snow.app.explain("servicenowoauth", "incidents")
    assert (found.instance["id"], found.would_announce, snow.told()) == (instance, {"CREATED": 1, "UPDATED": 0}, [])
    early = snow.app.explain(instance, "incidents", snow.clock.now() - timedelta(hours=1))
    assert early.pages == ()
    for of in ((99, "incidents"), (instance, "accounts")):
        with pytest.raises(NotFoundError):
            snow.app.explain(*of)


def test_each_check_of_an_instance_is_told_as_it_is_made(snow):
    snow.create()
    checks = snow.app.diagnose("servicenowoauth", all_deletions=True)
    assert next(checks).check == "login"
    assert {check.check: check.state for check in checks} == {
        "clock": CheckState.OK,
        "read incidents": CheckState.OK,
        "deletions of incidents": CheckState.OK,
    }
    with pytest.raises(NotFoundError):
        next(snow.app.diagnose(99))
