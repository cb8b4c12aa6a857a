"""Budgets: what a provider allows one account is shared, and a provider that asks for a pause gets it."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.backoff import MOST_PATIENT
from connectory.clock import from_micros
from connectory.errors import ProviderError, RetryLaterError, StaleLeaseError
from connectory.instances.budget import Budget, Pause, comes_back
from connectory.instances.views import poll_state
from connectory.model import Response
from connectory.polling.backfill import backfill
from connectory.ratelimits import Limit, account_key, is_used_up, seconds_to_reset
from connectory.store import budgets
from connectory.store.database import Database
from connectory.testing.clock import ManualClock
from toy import Toy, too_many

MINUTE = timedelta(minutes=1)


@pytest.fixture
def toy(tmp_path):
    opened = []

    def make(**element):
        opened.append(Toy(tmp_path / str(len(opened)), **element))
        return opened[-1]

    yield make
    for world in opened:
        world.app.close()


@pytest.fixture
def database(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/budgets.db")
    yield database
    database.close()


def most_in_a_span(moments, span):
    moments = sorted(moments)
    return max(
        (sum(1 for moment in moments if start <= moment < start + span) for start in moments),
        default=0,
    )


# Tokens


@pytest.mark.parametrize("requests", [1, 5, 10, 100])
def test_no_minute_sees_more_than_the_limit_wherever_it_starts(database, requests):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit(requests=requests, per=MINUTE)])
    sent = []
    end = clock.now() + timedelta(minutes=4)
    while clock.now() < end:
        pause = budget.take("poll")
        if pause is None:
            sent.append(clock.now())
        else:
            clock.advance(pause.until - clock.now())
    assert most_in_a_span(sent, MINUTE) <= requests
    assert len(sent) >= 4 * max(1, requests * 0.8)


def test_a_budget_is_shared_by_processes(database):
    clock = ManualClock()
    budgets = [Budget(database, clock, "a", [Limit(requests=20, per=MINUTE)]) for _ in range(4)]
    taken = [budget.take("poll") for budget in budgets for _ in range(3)]
    assert taken.count(None) == 2
    assert Budget(database, clock, "b", [Limit(requests=20, per=MINUTE)]).take("poll") is None


def test_the_narrowest_limit_counts(database):
    clock = ManualClock()
    limits = [Limit(requests=600, per=MINUTE), Limit(requests=24, per=timedelta(days=1))]
    budget = Budget(database, clock, "a", limits)
    assert [budget.take("poll") for _ in range(2)] == [None, None]
    pause = budget.take("poll")
    assert pause is not None
    assert pause.until - clock.now() > timedelta(minutes=30)
    assert "24 requests per day" in pause.reason


def test_an_edit_of_the_limits_starts_them_anew(database):
    clock = ManualClock()
    Budget(database, clock, "a", [Limit(requests=10, per=MINUTE)]).take("poll")
    budget = Budget(database, clock, "a", [Limit(requests=10, per=MINUTE), Limit(requests=100, per=timedelta(days=1))])
    assert budget.take("poll") is None


def test_so_many_polls_at_once(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit(concurrent=2)])
    assert [budget.take("one"), budget.take("two"), budget.take("one")] == [None, None, None]
    pause = budget.take("three")
    assert pause is not None
    assert "limit of polls at the same time (2)" in pause.reason
    budget.leave("one")
    budget.leave("nobody")
    assert budget.take("three") is None
    # A poll that was killed gives nothing back.
    clock.advance(timedelta(minutes=4))
    assert budget.take("four") is None


def test_an_unlimited_account_writes_nothing(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit()])
    with database.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM budgets").scalar()
    assert budget.take("one") is None
    budget.leave("one")
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM budgets").scalar() == before == 0


# What answers say


def refusal(retry_after=None, status=429):
    return RetryLaterError("too many", retry_after=retry_after, provider_status=status)


def test_what_is_said_to_one_counts_for_all(database):
    clock = ManualClock()
    one, other = (Budget(database, clock, "a", [Limit()]) for _ in range(2))
    one.refused(refusal(300))
    pause = other.take("poll")
    assert pause is not None
    assert timedelta(seconds=300) <= pause.until - clock.now() <= timedelta(seconds=330)
    assert pause.reason == "too many"
    clock.advance(331)
    assert other.take("poll") is None


def test_refusals_in_a_row_double_the_pause_and_a_good_answer_ends_that(database, caplog):
    caplog.set_level(logging.INFO, "connectory.instances.budget")
    clock = ManualClock()
    budget = Budget(database, clock, "toy|toy.test|", [Limit()])
    pauses = []
    for _ in range(6):
        budget.refused(refusal())
        # Answers to requests that were under way.
        budget.refused(refusal())
        pause = budget.take("poll")
        assert pause is not None
        pauses.append((pause.until - clock.now()).total_seconds())
        clock.advance(pause.until - clock.now())
    assert pauses[-1] > 100
    assert budget.take("poll") is None
    good = Response(status=200, headers={}, body=b"")
    budget.learn(good)
    budget.learn(good)
    budget.refused(refusal())
    pause = budget.take("poll")
    assert pause is not None
    assert pause.until - clock.now() < timedelta(seconds=8)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]


def pause_of(budget: Budget, clock: ManualClock) -> float:
    """The seconds for which the account is left alone."""
    pause = budget.take("poll")
    return 0.0 if pause is None else (pause.until - clock.now()).total_seconds()


def test_refusals_of_requests_that_were_under_way_are_one_failure(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit()])
    for _ in range(20):
        budget.refused(refusal())
    with database.read() as connection:
        assert budgets.get(connection, "a").failures == 1


def test_a_pause_that_was_asked_for_is_not_made_shorter_by_a_later_answer(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit()])
    budget.refused(refusal(300))
    before = pause_of(budget, clock)
    budget.refused(refusal(1))
    assert pause_of(budget, clock) == before >= 300


def test_a_good_answer_to_an_earlier_request_ends_no_pause(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit()])
    budget.refused(refusal(300))
    before = pause_of(budget, clock)
    budget.learn(Response(status=200, headers={}, body=b""))
    with database.read() as connection:
        assert budgets.get(connection, "a").failures == 1
    assert pause_of(budget, clock) == before


def test_after_a_pause_the_requests_come_at_the_pace_of_the_limit_and_not_in_a_burst(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit(requests=100, per=MINUTE)])
    budget.refused(refusal(300))
    clock.advance(pause_of(budget, clock))
    assert 0 < pause_of(budget, clock) < 1
    clock.advance(pause_of(budget, clock))
    assert [pause_of(budget, clock) > 0 for _ in range(2)] == [False, True]


def test_a_failure_that_says_when_to_come_back_is_everybodys_affair(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit()])
    budget.refused(RetryLaterError("cannot answer now", provider_status=503, retry_after=40))
    assert 40 <= pause_of(budget, clock) <= 44


def test_a_clock_that_is_put_back_gives_no_request_twice(database):
    clock = ManualClock()
    limit = Limit(requests=100, per=MINUTE)
    budget = Budget(database, clock, "a", [limit])
    given = 0
    for _ in range(30):
        # The same minute is lived through again and again.
        for seconds in (-60, 60):
            clock.advance(seconds)
            given += budget.take("poll") is None
    # One at the first moment, and then what the bucket holds: that minute fills it once.
    assert given == 1 + limit.burst


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("no such table", provider_status=404),
        RetryLaterError("cannot answer now", provider_status=500),
        RetryLaterError("the connection broke"),
    ],
)
def test_other_failures_are_the_polls_own_affair(database, error):
    budget = Budget(database, ManualClock(), "a", [Limit()])
    budget.refused(error)
    assert budget.take("poll") is None


def test_a_good_answer_that_leaves_nothing_makes_all_wait(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit(requests=100, per=MINUTE)])
    budget.learn(Response(status=200, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40"}, body=b""))
    pause = budget.take("poll")
    assert pause is not None
    assert pause.until - clock.now() == timedelta(seconds=40)
    budget.learn(Response(status=200, headers={"X-RateLimit-Remaining": "0"}, body=b""))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("40", 40.0), ("1767268830", 30.0), ("1767268700", 0.0), ("", None), ("soon", None), ("²", None)],
)
def test_when_a_limit_is_reset(value, seconds):
    headers = {"X-RateLimit-Reset": value, "Date": "Thu, 01 Jan 2026 12:00:00 GMT"}
    assert seconds_to_reset(Response(status=429, headers=headers, body=b"")) == seconds


def test_when_a_limit_is_used_up():
    assert is_used_up(Response(status=200, headers={"X-RateLimit-Remaining": "0"}, body=b""))
    assert not is_used_up(Response(status=200, headers={"X-RateLimit-Remaining": "7"}, body=b""))
    assert not is_used_up(Response(status=200, headers={}, body=b""))


def test_accounts():
    one = account_key("https://Dev1.example/api", {"oauth.api.key": "abc"})
    assert one == account_key("https://dev1.example", {"oauth.api.key": "abc"}) == "dev1.example|abc"
    assert account_key("https://dev1.example", {}) == "dev1.example|"


@given(st.floats(0, 1), st.floats(0, MOST_PATIENT))
def test_those_who_waited_come_back_after_the_pause_and_soon(chance, seconds):
    now = ManualClock().now()
    pause = Pause(until=now + timedelta(seconds=seconds), reason="")
    assert pause.until <= comes_back(pause, now, lambda: chance) <= pause.until + timedelta(seconds=30)


# Polls


def test_a_poll_that_must_wait_says_why_and_until_when(toy):
    world = toy(limits=(Limit(),))
    world.create()
    world.create()
    world.answer = too_many(600)
    assert world.poll() == 2
    assert len(world.asked) == 1
    failed, waiting = sorted(world.states(), key=lambda poll: -poll.failures)
    assert (failed.failures, waiting.failures) == (1, 0)
    described = poll_state(waiting)
    assert described.failure == "the provider answered 429"
    assert described.waiting_until == described.next_poll
    assert from_micros(waiting.next_due_at) >= world.clock.now() + timedelta(seconds=600)
    world.answer = None
    world.poll(800)
    assert [poll_state(poll).waiting_until for poll in world.states()] == [None, None]


def test_a_window_of_many_pages_is_read_at_the_pace_of_the_limit(toy):
    world = toy(limits=(Limit(requests=10, per=MINUTE),))
    world.create()
    world.poll()
    world.clock.advance(60)
    world.add(305)
    world.poll()
    world.poll()
    assert sorted(world.told(), key=int) == [str(number) for number in range(305)]
    assert most_in_a_span(world.asked, MINUTE) <= 10


def test_a_backfill_keeps_to_the_pace_of_the_limit(toy):
    world = toy(limits=(Limit(requests=10, per=MINUTE, concurrent=1),))
    instance = world.create()
    world.poll()
    world.clock.advance(60)
    world.add(305)
    world.clock.advance(600)
    for _ in range(2):
        backfill(world.app.parts, instance, "things", world.clock.now() - timedelta(hours=1), world.clock.now())
    assert sorted(world.told(), key=int) == [str(number) for number in range(305)]
    assert most_in_a_span(world.asked, MINUTE) <= 10


def test_a_pause_in_the_middle_of_a_window_begins_it_anew_later(toy):
    world = toy(limits=(Limit(),))
    world.create()
    world.poll()
    world.add(25)
    answers = iter([None, too_many(7200)(None)])
    world.answer = lambda _request: next(answers, None)
    world.poll()
    since = world.states()[0].since
    world.poll()
    assert world.states()[0].since == since
    world.poll(8000)
    world.poll()
    assert sorted(world.told(), key=int) == [str(number) for number in range(25)]


def test_a_long_pause_that_another_poll_learnt_ends_the_wait(database):
    clock = ManualClock()
    one, other = (Budget(database, clock, "a", [Limit(requests=100, per=MINUTE)]) for _ in range(2))
    kept = []
    other.refused(refusal(3600))
    with pytest.raises(RetryLaterError) as caught:
        one.wait("poll", lambda: kept.append(1), threading.Event())
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 3600


def test_a_process_that_ends_does_not_wait_for_its_turn(database):
    clock = ManualClock()
    budget = Budget(database, clock, "a", [Limit(requests=1, per=MINUTE)])
    stop = threading.Event()
    budget.wait("poll", stop.set, stop)
    stop.set()
    with pytest.raises(StaleLeaseError, match="the poll starts over later"):
        budget.wait("poll", stop.set, stop)


def test_without_limits_no_budget_is_looked_at(toy):
    world = toy()
    assert world.app.parts.runtimes.get(world.create()).budget is None


@pytest.mark.parametrize("retry_after", [30, None])
def test_fifty_instances_of_one_account_leave_a_provider_alone_that_refuses_them(toy, retry_after):
    world = toy(limits=(Limit(),))
    for _ in range(50):
        world.create()
    world.answer = too_many(retry_after)
    for _ in range(30 * 60):
        world.poll(1)
    minutes = Counter((moment - world.asked[0]) // MINUTE for moment in world.asked)
    assert max(minutes.values()) <= (2 if retry_after else 4)
    # The longer it lasts, the more it is left alone.
    assert len(world.asked) <= (60 if retry_after else 15)
    world.answer = None
    world.clock.advance(3600)
    for _ in range(120):
        world.poll(1)
    assert [poll.failures for poll in world.states()] == [0] * 50


def test_fifty_instances_of_one_servicenow(snow):
    for _ in range(50):
        snow.create()
    snow.sandbox.faults.always(["rate_limited=120"])
    before = snow.requests()
    for _ in range(10):
        snow.poll()
    assert snow.requests() - before <= 5
    snow.sandbox.faults.clear()
    snow.poll(600)
    with snow.app.parts.database.read() as connection:
        from connectory.store import polls

        assert {poll.failures for poll in polls.find(connection)} == {0}


def test_an_hourly_limit_of_servicenow_is_waited_for_by_all(snow):
    from connectory_servicenow.sandbox import RateLimit

    snow.create()
    snow.create()
    with snow.switched(rate_limit=RateLimit(limit=0)):
        before = snow.requests()
        for _ in range(20):
            snow.poll()
        assert snow.requests() - before == 1
    snow.poll(3600)
    snow.poll()
    assert [poll.failures for number in (1, 2) for poll in snow.app.instances.get(number).polls] == [0, 0]


def test_a_poll_gives_its_place_back_however_it_ends(toy):
    world = toy(limits=(Limit(concurrent=1),))
    for _ in range(3):
        world.create()
    assert world.poll() == 3
    assert [poll.failure for poll in world.states()] == [None] * 3
    answers = iter([too_many()(None)])
    world.answer = lambda _request: next(answers, None)
    world.poll()
    world.poll(3600)
    assert [poll.failure for poll in world.states()] == [None] * 3
