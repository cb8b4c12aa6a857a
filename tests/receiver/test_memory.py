"""What a receiver remembers, and for how long."""

from __future__ import annotations

import pytest

from connectory.receiver import memory
from connectory.receiver.memory import Memory


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(memory, "MOST_REMEMBERED", 2)
    return Memory()


def message(*events):
    return {"instanceId": 1, "events": [{"objectType": "orders", "objectId": o, "sequence": s} for o, s in events]}


def test_nothing_is_late_until_something_was_remembered():
    kept = Memory()
    assert (list(kept.late(message(("a", 1), ("a", 2)))), kept.knows("7")) == ([], False)
    kept.remember("7", message(("a", 2)))
    assert [event["sequence"] for event in kept.late(message(("a", 1), ("a", 3), ("b", 1)))] == [1]
    assert kept.knows("7")


def test_events_may_be_out_of_order_within_one_message():
    assert [event["sequence"] for event in Memory().late(message(("a", 2), ("a", 1)))] == [1]


def test_a_repeat_is_remembered_anew_and_the_oldest_is_forgotten(small):
    small.remember("1", message(("a", 5)))
    small.remember("2", None)
    small.remember("1", None)
    small.remember("3", None)
    assert [small.knows(number) for number in "123"] == [True, False, True]
    assert len(list(small.late(message(("a", 5))))) == 1
