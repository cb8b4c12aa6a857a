"""Polls that find nothing become rarer, and a poll that breaks is said once, as is one that recovers."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from connectory.polling.idle import idle_interval

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("quiet", "minutes"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 4), (5, 8), (6, 10), (60, 10), (10_000, 10)]
)
def test_the_interval_doubles_after_three_quiet_polls_up_to_its_ceiling(quiet, minutes):
    assert idle_interval(MINUTE, quiet, timedelta(minutes=10)) == minutes * MINUTE


def test_a_ceiling_below_the_interval_changes_nothing():
    assert idle_interval(15 * MINUTE, 9, timedelta(minutes=10)) == 15 * MINUTE


def test_without_the_option_the_interval_stays(snow):
    snow.create()
    for _ in range(6):
        assert snow.poll(60) == 1
    assert snow.state().quiet == 6


def test_idle_polls_become_rarer_until_the_first_find(snow):
    instance = snow.create(**{"event.poller.idle_backoff": 4})
    waits = []
    for _ in range(6):
        snow.poll(timedelta(minutes=10))
        state = snow.state()
        waits.append((state.next_due_at - state.polled_at) // MINUTE)
    assert waits == [1, 1, 2, 4, 4, 4]
    (shown,) = snow.app.instances.get(instance).polls
    assert (shown.quiet_polls, shown.interval_seconds) == (6, 60)
    snow.sandbox.insert("incident", {})
    snow.poll(timedelta(minutes=10))
    state = snow.state()
    assert (state.next_due_at - state.polled_at, state.quiet) == (MINUTE, 0)


def test_a_poll_that_breaks_and_recovers_says_each_once(snow, caplog):
    snow.create()
    snow.poll()
    with caplog.at_level(logging.INFO, "connectory.polling"):
        with snow.switched(bad_gateway=True):
            for _ in range(3):
                snow.poll(timedelta(minutes=10))
        for _ in range(3):
            snow.poll()
    assert [(record.levelname, record.message.partition(":")[0]) for record in caplog.records] == [
        ("WARNING", "poll of incidents of instance 1 failed"),
        ("INFO", "poll of incidents of instance 1 works again"),
    ]
