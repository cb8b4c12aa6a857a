"""Every change passes one place with its actor; a refusal changes nothing, and a call that reads passes nowhere."""

from __future__ import annotations

import inspect
import threading
from datetime import timedelta

import pytest
import typer

from connectory.app import Act, App
from connectory.errors import ConfigurationError, ConflictError
from connectory.store import deletions
from connectory.store.subscriptions import DEACTIVATED
from connectory.store.tables import metadata, subscriptions
from world import entry

NOUNS = ("elements", "instances", "polls", "events", "deliveries")


class RefusedError(ConflictError):
    pass


class Scene:
    """An instance with an event, an alarm, and a receiver that was given up. The calls are made on `app`."""

    def __init__(self, snow, tmp_path) -> None:
        self.snow, self.folder, self.app = snow, tmp_path, snow.app
        self.id = snow.create(
            **{
                "event.poller.configuration": {"incidents": entry("incidents", trackDeletes=True)},
                "event.notification.callback.url": "http://127.0.0.1:9/events",
            }
        )
        snow.clock.advance(10)
        snow.sandbox.insert("incident", {})
        snow.poll()
        self.token = snow.token()
        with snow.app.parts.database.write() as connection:
            assert deletions.change(connection, self.id, "incidents", {"alarm": "half of them are gone"})
            connection.execute(subscriptions.update().values(state=DEACTIVATED, state_reason="it answered 410"))

    @property
    def body(self) -> dict:
        login = {"username": "integration", "password": "integration"}
        configuration = self.snow.configuration(**{"event.notification.enabled": False}) | login
        return {"element": {"key": "servicenowoauth"}, "configuration": configuration}

    @property
    def since(self):
        return self.app.polls.cursor(self.id, "incidents").since

    def event(self):
        return self.app.events.find()[0]

    def record(self):
        path = self.folder / "poll.jsonl"
        self.snow.clock.advance(60)
        self.app.polls.record(path, instances=[self.id])
        return path

    def stored(self) -> dict:
        with self.app.parts.database.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(table.select())]
                for table in metadata.sorted_tables
            }


@pytest.fixture
def scene(snow, tmp_path):
    return Scene(snow, tmp_path)


def backfill(scene, **options):
    start = scene.since - timedelta(seconds=30)
    return scene.app.polls.backfill(scene.id, "incidents", start, **options)


def reauthenticate(scene, **options):
    return scene.app.instances.reauthenticate(scene.id, scene.token, **options)


def establish(scene, **options):
    draft = scene.app.instances.prepare(scene.body)
    return scene.app.instances.establish(draft, scene.token, **options)


# Each call takes the actor as an option.
CHANGES = {
    "instances.create": lambda scene, **who: scene.app.instances.create(scene.body, **who),
    "instances.establish": establish,
    "instances.update": lambda scene, **who: scene.app.instances.update(scene.id, name="other", **who),
    "instances.pause": lambda scene, **who: scene.app.instances.pause(scene.id, **who),
    "instances.resume": lambda scene, **who: scene.app.instances.resume(scene.id, **who),
    "instances.reauthenticate": reauthenticate,
    "instances.allow_mass_delete": lambda s, **who: s.app.instances.allow_mass_delete(s.id, "incidents", **who),
    "instances.delete": lambda scene, **who: scene.app.instances.delete(scene.id, **who),
    "polls.make_due": lambda scene, **who: scene.app.polls.make_due([scene.id], **who),
    "polls.rewind": lambda s, **who: s.app.polls.rewind(s.id, "incidents", s.since - timedelta(seconds=9), **who),
    "polls.reset": lambda scene, **who: scene.app.polls.reset(scene.id, "incidents", **who),
    "polls.backfill": backfill,
    "deliveries.resume": lambda scene, **who: scene.app.deliveries.resume(scene.id, **who),
}
NAMES = {"instances.establish": "instances.create"}
MAKES_AN_INSTANCE = {"instances.create", "instances.establish"}


def run_for_a_moment(scene):
    stop = threading.Event()
    stop.set()
    scene.app.run(stop)


def running_for_a_moment(scene):
    with scene.app.running():
        pass


# What reads, and what does the work that instances ask for: nobody has to be allowed to do it.
OTHERS = {
    "elements.load": lambda scene: scene.app.elements.load(["servicenowoauth"]),
    "elements.find": lambda scene: scene.app.elements.find(),
    "elements.get": lambda scene: scene.app.elements.get("servicenowoauth"),
    "elements.pollers": lambda scene: scene.app.elements.pollers("servicenowoauth", {}),
    "elements.plugins": lambda scene: scene.app.elements.plugins(),
    "elements.hooks": lambda scene: scene.app.elements.hooks,
    "elements.add_commands": lambda scene: scene.app.elements.add_commands(typer.Typer()),
    "elements.open_sandbox": lambda scene: scene.app.elements.open_sandbox("servicenowoauth"),
    "elements.replay": lambda scene: scene.app.elements.replay(scene.record()),
    "instances.find": lambda scene: scene.app.instances.find(),
    "instances.get": lambda scene: scene.app.instances.get(scene.id),
    "instances.exists": lambda scene: scene.app.instances.exists(scene.id),
    "instances.id_of": lambda scene: scene.app.instances.id_of(scene.id),
    "instances.ids_of": lambda scene: scene.app.instances.ids_of([scene.id]),
    "instances.warnings": lambda scene: scene.app.instances.warnings(scene.id),
    "instances.prepare": lambda scene: scene.app.instances.prepare(scene.body),
    "instances.log_in": lambda scene: scene.app.instances.log_in(scene.app.instances.prepare(scene.body)),
    "instances.flow": lambda scene: scene.app.instances.flow(scene.app.instances.prepare(scene.body)),
    "instances.draft_of": lambda scene: scene.app.instances.draft_of(scene.id),
    "polls.run_due": lambda scene: scene.app.polls.run_due(),
    "polls.cursor": lambda scene: scene.app.polls.cursor(scene.id, "incidents"),
    "polls.record": Scene.record,
    "events.find": lambda scene: scene.app.events.find(),
    "events.after": lambda scene: scene.app.events.after(0),
    "events.last_id": lambda scene: scene.app.events.last_id(),
    "events.records_of": lambda scene: scene.app.events.records_of([scene.event()]),
    "deliveries.run_due": lambda scene: scene.app.deliveries.run_due(),
    "deliveries.find": lambda scene: scene.app.deliveries.find(),
    "deliveries.get": lambda scene: scene.app.deliveries.get(scene.app.deliveries.find()[0].id),
    "deliveries.pending": lambda scene: scene.app.deliveries.pending(),
    "explain": lambda scene: scene.app.explain(scene.id, "incidents"),
    "diagnose": lambda scene: list(scene.app.diagnose(scene.id)),
    "run": run_for_a_moment,
    "running": running_for_a_moment,
    "run_once": lambda scene: scene.app.run_once(),
    "drain": lambda scene: scene.app.drain(timedelta(0)),
    "close": lambda scene: scene.app.close(),
}


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_") and name != "Self"}


def all_calls(app: App) -> set[str]:
    found = {f"{noun}.{name}" for noun in NOUNS for name in public(type(getattr(app, noun)))}
    return found | public(App)


def calls_with_an_actor(app: App) -> set[str]:
    calls = {name: inspect.getattr_static(*owner_and_name(app, name)) for name in all_calls(app)}
    return {name for name, call in calls.items() if callable(call) and "actor" in inspect.signature(call).parameters}


def owner_and_name(app: App, call: str) -> tuple[type, str]:
    noun, _, name = call.rpartition(".")
    return type(getattr(app, noun) if noun else app), name


def test_no_call_is_forgotten(snow):
    assert all_calls(snow.app) == CHANGES.keys() | OTHERS.keys()


def test_the_calls_that_take_an_actor_are_the_ones_that_change_something(snow):
    assert calls_with_an_actor(snow.app) == CHANGES.keys()


def test_an_application_has_nothing_public_beside_the_nouns(snow):
    assert {name for name in vars(snow.app) if not name.startswith("_")} == {*NOUNS, "parts", "acts"}


@pytest.mark.parametrize("call", CHANGES)
def test_a_change_passes_once_with_its_actor(scene, call):
    asked, made = [], []
    scene.app = App(scene.app.parts, "billing", allows=asked.append)
    scene.app.acts.watch(made.append)
    before = scene.stored()
    result = CHANGES[call](scene, actor="user:7")
    number = result.id if call in MAKES_AN_INSTANCE else scene.id
    name = NAMES.get(call, call)
    assert made == [Act(name=name, actor="user:7", instance_id=number)]
    assert asked == [Act(name=name, actor="user:7", instance_id=None if call in MAKES_AN_INSTANCE else number)]
    assert scene.stored() != before


@pytest.mark.parametrize("call", CHANGES)
def test_the_actor_is_the_applications_where_none_is_named(scene, call):
    made = []
    scene.app = App(scene.app.parts, "billing")
    scene.app.acts.watch(made.append)
    CHANGES[call](scene)
    assert [act.actor for act in made] == ["billing"]


@pytest.mark.parametrize("call", CHANGES)
def test_a_change_that_is_refused_changes_nothing(scene, call):
    made = []

    def refuse(act):
        raise RefusedError(f"{act.actor} may not do {act.name}")

    before, requests = scene.stored(), len(scene.snow.sandbox.log.entries)
    scene.app = App(scene.app.parts, allows=refuse)
    scene.app.acts.watch(made.append)
    with pytest.raises(RefusedError, match=f"ann may not do {NAMES.get(call, call)}"):
        CHANGES[call](scene, actor="ann")
    assert made == []
    assert scene.stored() == before
    assert len(scene.snow.sandbox.log.entries) == requests


@pytest.mark.parametrize("call", OTHERS)
def test_what_changes_nothing_need_not_be_allowed(scene, call):
    def refuse(act):
        raise RefusedError(f"{act.name} is a change")

    scene.app = App(scene.app.parts, allows=refuse)
    OTHERS[call](scene)


def test_a_dry_run_of_a_backfill_is_no_change(scene):
    asked = []
    scene.app = App(scene.app.parts, allows=asked.append)
    assert backfill(scene, dry_run=True).dry_run
    assert asked == []


def test_each_of_several_instances_is_a_change(scene):
    other, made = scene.snow.create(), []
    scene.app.acts.watch(made.append)
    scene.app.polls.make_due([scene.id, other])
    assert [act.instance_id for act in made] == [scene.id, other]


def test_a_change_that_fails_is_not_told(scene):
    made = []
    scene.app.acts.watch(made.append)
    with pytest.raises(ConfigurationError):
        scene.app.instances.update(scene.id, configuration={"event.poller.refresh_interval": "never"})
    assert made == []
