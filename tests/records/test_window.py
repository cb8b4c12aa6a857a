"""The arithmetic of windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.clock import from_micros, to_micros
from connectory.records.window import (
    HOUR,
    bounds_of,
    earliest_accepted,
    earliest_credible,
    log_window,
    remembered_from,
    window_between,
    window_of,
)
from toy import Toy

SECOND = 1_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A poll, its plan (overlap 60 s, settle 5 s, stamps of whole seconds), and a moment of the provider's clock."""
    with Toy(tmp_path_factory.mktemp("toy"), settle=timedelta(seconds=5), overlap=timedelta(seconds=60)) as toy:
        toy.create()
        toy.poll()
        (poll,) = toy.states()
        plan = toy.app.parts.runtimes.get(1).plan("things")
        since = to_micros(toy.clock.now())
        yield replace(poll, since=since, seen_from=since - 3600 * SECOND), plan, since


@pytest.mark.parametrize(
    ("seen_from", "now", "start", "end"),
    [
        (-3600, 100.9, -60, 95),
        (-20, 100, -20, 95),
        (-3600, -55, -60, -60),
        (-3600, -56, None, None),
    ],
)
def test_a_window_goes_from_the_overlap_to_what_has_settled(world, seen_from, now, start, end):
    poll, plan, since = world
    poll = replace(poll, seen_from=since + seen_from * SECOND)
    window = window_of(poll, plan, from_micros(since) + timedelta(seconds=now))
    if start is None:
        assert window is None
        return
    assert window is not None
    assert (to_micros(window.start) - since, to_micros(window.end) - since) == (start * SECOND, end * SECOND)


def test_the_bounds_end_with_what_has_settled_by_the_answers_clock(world):
    poll, plan, since = world
    window = window_between(plan, since + SECOND // 2, since + 100 * SECOND)
    assert to_micros(window.start) == since
    for late, end in ((50, 45), (500, 100)):
        now = from_micros(since) + timedelta(seconds=late)
        bounds = bounds_of(poll, plan, window, now)
        assert (bounds.start, bounds.end, bounds.started) == (since, since + end * SECOND, to_micros(now))
        assert not bounds.baseline
    assert bounds_of(replace(poll, polled_at=None), plan, window, now).baseline


def test_what_is_remembered_reaches_as_far_back_as_any_window_to_come(world):
    poll, plan, since = world
    bounds = bounds_of(poll, plan, window_between(plan, since - 90 * SECOND, since), from_micros(since))
    assert remembered_from(poll, plan, bounds, since) == since - 90 * SECOND
    assert remembered_from(poll, plan, bounds, since - 50 * SECOND) == since - 110 * SECOND
    short = replace(poll, seen_from=since - 30 * SECOND)
    assert remembered_from(short, plan, bounds, since) == since - 30 * SECOND


def test_a_log_is_read_again_from_before_its_place_and_never_backwards(world):
    _, plan, since = world
    for started, late, start, end in ((-3600, 100, -40, 95), (-10, 100, -10, 95), (-3600, -100, -40, 0)):
        window = log_window(
            plan,
            since=since,
            tracked_from=since + started * SECOND,
            overlap=40 * SECOND,
            provider_now=from_micros(since) + timedelta(seconds=late),
        )
        assert (to_micros(window.start) - since, to_micros(window.end) - since) == (start * SECOND, end * SECOND)


def test_dates_before_the_window_are_accepted_as_far_as_a_clock_may_be_read_wrongly(world):
    _, plan, since = world
    assert earliest_accepted(plan, since) == since - plan.ambiguity
    coarse = replace(plan, unit=timedelta(days=1))
    assert earliest_credible(coarse, since) == since - 2 * 24 * HOUR - 2 * HOUR
