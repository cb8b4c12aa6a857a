"""Whatever ends a poll makes it a failed poll: its reason is stored, it waits, and it holds no lease."""

from __future__ import annotations

import logging

import pytest
from werkzeug.wrappers import Response

from connectory import hookimpl
from connectory.clock import to_micros
from connectory.errors import PluginError, StaleLeaseError
from connectory.model import judge_by_status
from connectory.polling import poller
from connectory.polling.failures import reason_of
from connectory.records.summary import Observer
from connectory.store import polls
from toy import OffsetPages, Toy


class Faulty:
    """A judge, a paginator, a codec and hooks that work until `broken` names one of them."""

    def __init__(self) -> None:
        self.broken = ""
        self.error: Exception = KeyError("sys_id")
        self.told = []
        self.known = None

    def check(self, part: str) -> None:
        if self.broken == part:
            raise self.error

    def judge(self, response):
        self.check("judge")
        return judge_by_status(response)

    def walk(self, request, query):
        pages = OffsetPages().walk(request, query)
        page = yield next(pages)
        while True:
            self.check("paginator")
            try:
                page = yield pages.send(page)
            except StopIteration:
                return

    @hookimpl
    def connect_date_format(self, element, pattern, timezone):
        from connectory.dates import compile_pattern

        self.known = compile_pattern(pattern, timezone)
        return FaultyCodec(self)

    @hookimpl
    def connect_translate_query(self, element, resource, query):
        self.check("hook")
        return ()

    @hookimpl
    def connect_poll_finished(self, instance, resource, summary):
        self.told.append(summary.get("failure"))


class FaultyCodec:
    def __init__(self, faulty: Faulty) -> None:
        self.faulty = faulty

    def __getattr__(self, name):
        return getattr(self.faulty.known, name)

    def parse(self, value):
        self.faulty.check("codec")
        return self.faulty.known.parse(value)


@pytest.fixture
def faulty():
    return Faulty()


@pytest.fixture
def toy(tmp_path, faulty):
    with Toy(tmp_path, judge=faulty.judge, paginator=faulty) as opened:
        opened.plugins.register(faulty, "faulty")
        opened.create()
        yield opened


class Watching(Observer):
    def __init__(self) -> None:
        self.summaries = []

    def polled(self, summary):
        self.summaries.append(summary)


@pytest.mark.parametrize("part", ["judge", "paginator", "codec", "hook"])
def test_an_exception_in_a_plugin_is_a_failed_poll_that_names_it(toy, faulty, part, caplog):
    toy.poll()
    (before,) = toy.states()
    toy.add(12)
    faulty.broken = part
    watching = Watching()
    toy.clock.advance(60)
    toy.app.polls.run_due(observer=watching)
    (state,) = toy.states()
    assert (state.lease_owner, state.lease_until, state.failures) == (None, None, 1)
    assert (state.since, state.polled_at, state.failed_at) == (
        before.since,
        before.polled_at,
        to_micros(toy.clock.now()),
    )
    assert 4 <= (state.next_due_at - state.failed_at) / 1_000_000 <= 6
    assert "KeyError: 'sys_id'" in state.failure
    assert "'toy'" in state.failure
    assert isinstance(watching.summaries[0].error, PluginError)
    assert [watching.summaries[0].failure, state.failure] == [state.failure, faulty.told[-1]]
    if part != "hook":
        assert "at test_failures." in state.failure
        assert "Traceback" in caplog.text
    toy.poll(3600)
    assert toy.states()[0].failures == 2
    faulty.broken = ""
    toy.poll(3600)
    assert (toy.states()[0].failures, toy.states()[0].failure) == (0, None)
    assert sorted(toy.told(), key=int) == [str(number) for number in range(12)]


def test_an_exception_outside_of_plugins_is_a_failed_poll_too(tmp_path, caplog):
    class Broken(Observer):
        def page_read(self, summary):
            raise RuntimeError("no disk")

    with Toy(tmp_path) as toy:
        toy.create()
        toy.clock.advance(60)
        toy.app.polls.run_due(observer=Broken())
        (state,) = toy.states()
        assert (state.lease_owner, state.failures) == (None, 0), (
            "the claim ended with the page, before the observer heard"
        )
        assert "failed" not in caplog.text
        toy.clock.advance(60)
        toy.add(12)
        toy.app.polls.run_due(observer=Broken())
        (state,) = toy.states()
    assert (state.lease_owner, state.failures) == (None, 1)
    assert "an unexpected error ended the poll: RuntimeError: no disk" in state.failure
    assert "report it as a mistake in Connectory, at connectory.polling.pages.take" in state.failure


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UnprintableError(), "UnprintableError"),
        (RecursionError("deep"), "RecursionError: deep"),
        (KeyError("\ud800 \0"), "KeyError"),
        (SyntaxError("odd"), "SyntaxError: odd"),
        (ValueError("x" * 10_000), "ValueError: xxx"),
    ],
)
def test_an_exception_whose_text_no_database_takes_is_stored(toy, faulty, error, text):
    faulty.broken, faulty.error = "judge", error
    toy.poll()
    (state,) = toy.states()
    assert (state.lease_owner, state.failures) == (None, 1)
    assert text in state.failure
    assert len(state.failure) < 1_000
    assert reason_of(PluginError("\ud800\0")) == "\\ud800\\0"


def test_a_poll_that_fails_after_another_has_taken_it_over_writes_nothing_and_is_told(toy, faulty, caplog):
    states = []

    def answer(_request):
        late = to_micros(toy.clock.now()) + 3_600_000_000
        with toy.app.parts.database.write() as connection:
            assert len(polls.claim(connection, owner="another:1", due_at=late, now=late, until=late, limit=9)) == 1
        states.extend(toy.states())
        return Response("", status=500)

    toy.answer = answer
    watching = Watching()
    toy.clock.advance(60)
    with caplog.at_level(logging.ERROR):
        toy.app.polls.run_due(observer=watching)
    assert toy.states() == states
    assert [type(summary.error) for summary in watching.summaries] == [StaleLeaseError]
    assert len(faulty.told) == 1
    assert "another worker has taken over" in faulty.told[0]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_poll_whose_failure_cannot_be_stored_gives_its_lease_up_all_the_same(toy, monkeypatch):
    def failing(*_arguments):
        raise RuntimeError("no disk")

    toy.answer = lambda _request: Response("", status=500)
    monkeypatch.setattr(poller, "reason_of", failing)
    toy.poll()
    (state,) = toy.states()
    assert (state.lease_owner, state.failures) == (None, 1)
    assert "RuntimeError: no disk" in state.failure
    assert state.next_due_at > to_micros(toy.clock.now())
