"""The scheduler: when a poll is due, who holds its lease and for how long, and what a stop leaves behind."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.app.polls import scheduler_of
from connectory.clock import to_micros
from connectory.polling.executor import Executor
from connectory.ratelimits import Limit
from connectory.records.summary import Observer
from connectory.store import polls
from connectory.testing.clock import ManualClock
from shelf import Shelf
from toy import DATES, Toy

ENTRY = {"url": "/hubs/general/things", "idField": "id", "datesConfiguration": DATES}
LEASE = 180
SECOND = 1_000_000


@pytest.fixture
def toy(tmp_path):
    opened = []

    def make(**element):
        opened.append(Toy(tmp_path / str(len(opened)), **element))
        return opened[-1]

    yield make
    for world in opened:
        world.app.close()


def create(world, *names: str) -> int:
    """An instance that polls the things once under each of these names."""
    return world.create(**{"event.poller.configuration": dict.fromkeys(names, ENTRY)})


def leases(world) -> list[float]:
    """The seconds for which each lease that somebody holds still stands."""
    now = to_micros(world.clock.now())
    return [(poll.lease_until - now) / SECOND for poll in world.states() if poll.lease_until is not None]


def finish_at(world, monkeypatch, stop, seconds, each=lambda: None, *, hanging=False):
    """Let the loop's waiting move the clock, and stop the loop after so many seconds.

    While a poll runs the clock stands still, however slow this machine is, unless polls are `hanging`.
    """
    end = world.clock.now() + timedelta(seconds=seconds)

    def wait(event, wanted):
        if not hanging and is_polling(world):
            return event.wait(30)
        ManualClock.wait(world.clock, event, wanted)
        if world.clock.now() >= end:
            stop.set()
        each()
        return event.is_set()

    monkeypatch.setattr(world.clock, "wait", wait)


def is_polling(world) -> bool:
    with world.app.parts.database.read() as connection:
        return any(poll.lease_owner == world.app.parts.owner for poll in polls.find(connection))


# When a poll is due


def test_polls_that_were_missed_in_a_pause_are_not_made_up_for(snow):
    snow.create()
    snow.poll()
    snow.clock.advance(10 * 3600)
    runs = [snow.app.polls.run_due() for _ in range(3)]
    assert runs == [1, 0, 0]
    assert [snow.poll(29), snow.poll(30), snow.poll(1), snow.poll(59), snow.poll(1)] == [0, 0, 1, 0, 1]


def test_polls_that_were_missed_while_the_instance_was_paused_are_not_made_up_for(snow):
    instance = snow.create()
    snow.poll()
    snow.app.instances.pause(instance)
    assert snow.poll(10 * 3600) == 0
    snow.app.instances.resume(instance)
    assert [snow.app.polls.run_due() for _ in range(3)] == [1, 0, 0]
    assert [snow.poll(59), snow.poll(1)] == [0, 1]


def test_polls_that_were_missed_while_the_provider_was_down_are_not_made_up_for(snow):
    snow.create()
    snow.poll()
    with snow.switched(bad_gateway=True):
        for _ in range(12):
            snow.poll(3600)
    assert [snow.poll(3600), snow.poll(0), snow.poll(59), snow.poll(1)] == [1, 0, 0, 1]


def test_running_once_polls_each_once_however_long_a_poll_takes(toy):
    world = toy()
    create(world, "a", "b")

    class Slow(Observer):
        def polled(self, summary):
            world.clock.advance(120)

    world.clock.advance(60)
    assert world.app.polls.run_due(observer=Slow()) == 2


def test_polls_of_one_instance_run_one_after_another(toy, monkeypatch):
    """Whatever the order in which the store gives the claimed polls."""
    world = toy()
    one, two = create(world, "a", "b"), create(world, "a", "b")
    claim = polls.claim
    monkeypatch.setattr(
        polls, "claim", lambda *args, **more: sorted(claim(*args, **more), key=lambda poll: poll.resource)
    )
    order = []

    class Watching(Observer):
        def polled(self, summary):
            order.append(summary.instance_id)

    world.clock.advance(60)
    world.app.polls.run_due(observer=Watching())
    assert order == [one, one, two, two]


def test_an_unknown_mistake_in_one_poll_does_not_keep_the_others_from_running(toy):
    world = toy()
    create(world, "a", "b")
    polled = []

    class Broken(Observer):
        def polled(self, summary):
            polled.append(summary.resource)
            if len(polled) == 1:
                raise RuntimeError

    world.clock.advance(60)
    assert world.app.polls.run_due(observer=Broken()) == 2
    assert sorted(polled) == ["a", "b"]


# Leases


def test_the_leases_of_polls_that_run_or_wait_their_turn_are_renewed(toy, monkeypatch):
    """While one poll of an instance hangs at its provider, nobody else may take it, nor the one that comes after it."""
    world = toy()
    create(world, "a", "b")
    world.add(5)
    world.clock.advance(60)
    stop, go_on = threading.Event(), threading.Event()
    held = []

    def answer(_request):
        assert go_on.wait(30)

    def each():
        held.append(leases(world))
        if min(held[-1]) <= 0:
            stop.set()
        if stop.is_set():
            go_on.set()

    world.answer = answer
    finish_at(world, monkeypatch, stop, 3 * LEASE, each, hanging=True)
    scheduler_of(world.app.parts).run(stop)
    assert {len(left) for left in held} == {2}
    assert min(min(left) for left in held) > 0
    assert leases(world) == []


def test_a_lease_is_renewed_between_pages(toy):
    """Another process looks for work at each page, and finds none."""
    world = toy()
    create(world, "a")
    world.add(45)
    left, taken = [], []

    class Slow(Observer):
        def page_read(self, summary):
            world.clock.advance(100)
            if summary.pages < 5:
                left.extend(leases(world))
                taken.append(world.app.polls.run_due())

    world.clock.advance(60)
    assert world.app.polls.run_due(observer=Slow()) == 1
    assert taken == [0] * 4
    assert len(left) == 4
    assert min(left) > 0
    assert len(world.asked) == 5
    assert world.states()[0].failure is None


def test_a_lease_is_renewed_in_time_and_not_with_each_page(toy):
    world = toy()
    create(world, "a")
    world.add(55)
    until = []

    class Watching(Observer):
        def page_read(self, summary):
            until.append(world.states()[0].lease_until)
            world.clock.advance(100 if summary.pages == 1 else 10)

    world.clock.advance(60)
    claimed = to_micros(world.clock.now())
    world.app.polls.run_due(observer=Watching())
    assert len(until) == 6
    assert until[0] == claimed + LEASE * SECOND
    assert until[1:5] == [claimed + (100 + LEASE) * SECOND] * 4


@pytest.mark.parametrize("waits", ["for the next page", "for a smaller page"])
def test_a_lease_is_renewed_while_a_poll_waits_for_its_budget(toy, monkeypatch, waits):
    """Ten requests an hour: after the first, the next may be sent some 400 seconds later."""
    world = toy(limits=(Limit(requests=10),), page_size=100 if waits == "for a smaller page" else 10)
    create(world, "a")
    world.poll()
    world.clock.advance(60)
    world.add(25)
    left, waited = [], []

    def wait(event, seconds):
        world.clock.advance(seconds)
        waited.append(seconds)
        left.extend(leases(world))
        return event.is_set()

    if waits == "for a smaller page":
        cut = iter([True])
        world.answer = lambda _request: cut_short() if next(cut, False) else None
    monkeypatch.setattr(world.clock, "wait", wait)
    world.poll(600)
    assert sum(waited) > 2 * LEASE
    assert min(left) > 0
    assert len(left) == len(waited)
    assert (world.states()[0].failure, len(world.told())) == (None, 25)


def cut_short():
    from werkzeug.wrappers import Response

    return Response('[{"id": "1", "upd', content_type="application/json")


def test_a_running_scheduler_takes_over_at_once_from_a_process_that_is_gone(tmp_path, monkeypatch):
    class Killed(BaseException):
        """Like SIGKILL: nobody's `except Exception` sees it."""

    def kill(_request):
        raise Killed

    with Shelf(tmp_path) as shelf:
        shelf.create(trackDeletes=False)
        shelf.answer = kill
        with pytest.raises(Killed):
            shelf.poll()
        shelf.answer = None
        shelf.die()
        assert shelf.poll_state().lease_owner is not None
        stop, begun, polled = threading.Event(), shelf.clock.now(), []

        class Watching(Observer):
            def polled(self, summary):
                polled.append(shelf.clock.now() - begun)
                stop.set()

        finish_at(shelf, monkeypatch, stop, 2 * LEASE)
        scheduler_of(shelf.app.parts, observer=Watching()).run(stop)
        assert len(polled) == 1
        assert polled[0] < timedelta(seconds=10)


# Stopping


def test_a_stop_drops_the_poll_that_waits_for_its_budget_and_begins_none_that_waits_its_turn(toy, monkeypatch):
    world = toy(limits=(Limit(requests=10),))
    create(world, "a", "b")
    world.add(25)
    world.clock.advance(600)
    before = world.states()
    stop, main = threading.Event(), threading.current_thread()
    stopped = []

    def wait(event, seconds):
        if threading.current_thread() is main:
            return event.wait(30)
        stop.set()
        scheduler.wake()
        stopped.append(event.wait(5))
        return True

    monkeypatch.setattr(world.clock, "wait", wait)
    scheduler = scheduler_of(world.app.parts)
    scheduler.run(stop)
    assert stopped == [True]
    assert len(world.told()) == 10
    # Nothing is different but that each was claimed once.
    assert [replace(poll, epoch=0) for poll in world.states()] == before
    assert [poll.epoch for poll in world.states()] == [1, 1]


# Workers


def test_one_worker_polls_all_instances_in_turn(tmp_path, monkeypatch):
    with Shelf(tmp_path, CONNECTORY_WORKERS="1") as shelf:
        instances = [shelf.create(trackDeletes=False) for _ in range(3)]
        shelf.clock.advance(60)
        stop = threading.Event()
        running, most, polled = set(), [], []

        class Watching(Observer):
            def page_read(self, summary):
                running.add(summary.instance_id)
                most.append(len(running))

            def polled(self, summary):
                running.discard(summary.instance_id)
                polled.append(summary.instance_id)
                if len(polled) == 6:
                    stop.set()

        finish_at(shelf, monkeypatch, stop, 600)
        scheduler_of(shelf.app.parts, observer=Watching()).run(stop)
    assert sorted(set(polled)) == instances
    assert len(polled) >= 6
    assert max(most) == 1


def test_an_executor_is_free_again_when_a_group_has_ended():
    go_on, ran, free_then = threading.Event(), [], []
    ended = threading.Semaphore(0)

    def run(group):
        assert go_on.wait(30)
        ran.append(group)

    def done():
        free_then.append(executor.free())
        ended.release()

    executor = Executor(run, 2, done)
    assert executor.free() == 2
    executor.submit(["a"])
    assert executor.free() == 1
    executor.submit(["b"])
    assert executor.free() == 0
    go_on.set()
    assert [ended.acquire(timeout=30) for _ in range(2)] == [True, True]
    assert executor.free() == 2
    # Who is told that a group has ended finds the place free.
    assert min(free_then) >= 1
    executor.close()
    assert sorted(ran) == [["a"], ["b"]]


def test_closing_an_executor_waits_for_what_runs():
    begun, ran = threading.Event(), []

    def run(group):
        assert begun.wait(30)
        ran.append(group)

    executor = Executor(run, 1, lambda: None)
    executor.submit(["a"])
    executor.submit(["b"])
    begun.set()
    executor.close()
    assert ran == [["a"], ["b"]]
