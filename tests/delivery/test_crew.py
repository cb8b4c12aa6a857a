"""Threads that deliver lanes: counted while they run, and waited for."""

from __future__ import annotations

import threading

import pytest

from connectory.delivery.crew import Crew
from connectory.store.lanes import Lane


def lane(subscription_id, number=0):
    return Lane(
        subscription_id=subscription_id, lane=number, instance_id=1, url="http://receiver.test/", owner="me", epoch=1
    )


def test_lanes_are_counted_while_they_run_and_their_attempts_when_they_have_ended():
    proceed, ended = threading.Event(), []
    crew = Crew(lambda _lane: 3 if proceed.wait(5) else 0, 4, lambda: ended.append(1))
    for number in range(2):
        crew.start(lane(7, number))
    crew.start(lane(8))
    assert (crew.running, crew.free, crew.running_of([7]), crew.running_of([9])) == (3, 1, 2, 0)
    proceed.set()
    crew.close()
    assert (crew.running, crew.made, len(ended)) == (0, 9, 3)


@pytest.mark.parametrize("failing", [True, False])
def test_a_lane_that_fails_is_not_counted_as_running_for_ever(failing):
    def deliver(_lane):
        if failing:
            raise ZeroDivisionError
        return 1

    crew = Crew(deliver, 1, lambda: None)
    crew.start(lane(7))
    crew.close()
    assert (crew.running, crew.made) == (0, 0 if failing else 1)
