"""The worker: in order, at least once, each lane by itself, whatever breaks."""

from __future__ import annotations

import io
import json
import logging
import random
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from connectory.clock import to_micros
from connectory.delivery.claims import LANE_LEASE
from connectory.delivery.lane import REST
from connectory.delivery.poster import Posted
from connectory.delivery.worker import DeliveryWorker
from connectory.errors import StoreError
from connectory.receiver.receiver import Receiver
from connectory.signature import verify
from connectory.store import deliveries, lanes, subscriptions
from connectory.store.database import Database
from connectory.store.tables import attempts, instances, notifications
from connectory.store.tables import deliveries as rows
from connectory.store.tables import lanes as lane_rows

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
KEY = b"MySecretEventSignatureKey"
URL = "http://user:password@receiver.test/hook"
OK = Posted(status=200, duration=3, head=b"ok")
BAD = Posted(status=500, duration=3, head=b"oh no")


class ManualClock:
    """Stands still until it is moved; waiting moves it, and gives way to other threads for a moment."""

    def __init__(self, moment=START):
        self._moment = moment
        self._lock = threading.Lock()
        self.waits = []

    def now(self):
        return self._moment

    def advance(self, seconds):
        with self._lock:
            self._moment += timedelta(seconds=seconds)

    def wait(self, event, seconds):
        self.waits.append(seconds)
        self.advance(seconds)
        return event.wait(0.001)


class FakePoster:
    """Answers what `answer(call)` says; keeps the calls: url, headers, body."""

    def __init__(self, answer=lambda call: OK):
        self.answer = answer
        self.calls = []
        self._lock = threading.Lock()

    def post(self, url, headers, body):
        call = (url, dict(headers), body)
        with self._lock:
            self.calls.append(call)
        return self.answer(call)

    @property
    def ids(self):
        return [int(headers["webhook-id"]) for _, headers, _ in self.calls]


def script(*answers):
    """These answers one after another, then OK."""
    held = list(answers)
    return lambda _call: held.pop(0) if held else OK


@pytest.fixture
def url_of_store(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def database(url_of_store):
    database = Database.open(url_of_store)
    with database.write() as connection:
        add_instance(connection, 1)
    yield database
    database.close()


def add_instance(connection, number):
    values = {"id": number, "element_key": "toy", "name": f"toy {number}", "tags": [], "configuration": {}}
    state = {"state": "active", "external_authentication": "none", "version": 1, "created_at": 0, "updated_at": 0}
    connection.execute(insert(instances).values(values | state))


@pytest.fixture
def subscription(database):
    return subscribe(database, 1)


def subscribe(database, instance_id, url=URL):
    with database.write() as connection:
        return subscriptions.create(connection, instance_id, url, to_micros(START))


def announce(database, subscription_id, made, instance_id=1, body=lambda number: b'{"id": %d}' % number):
    with database.write() as connection:
        connection.execute(
            insert(notifications),
            [
                {
                    "id": number,
                    "instance_id": instance_id,
                    "resource": "things",
                    "body": body(number),
                    "created_at": to_micros(START),
                }
                for number, _ in made
            ],
        )
        deliveries.add(connection, subscription_id, made, to_micros(START))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def make(database, clock):
    def make_worker(poster, *, keys=(KEY,), store=database, **options):
        options = {"keys_for": lambda _instance: keys, "owner": "me", **options}
        return DeliveryWorker(store, clock, poster=poster, **options)

    return make_worker


def statuses(database):
    with database.read() as connection:
        return [row.status for row in connection.execute(select(rows.c.status).order_by(rows.c.id))]


def all_attempts(database):
    with database.read() as connection:
        return [row._mapping for row in connection.execute(select(attempts).order_by(attempts.c.id))]


def test_all_that_is_due_is_delivered_in_order_and_written_down(database, subscription, make):
    poster, seen = FakePoster(), []
    announce(database, subscription, [(number, 3) for number in range(1, 51)])
    assert make(poster, on_attempt=seen.append).run_once() == 50
    assert poster.ids == list(range(1, 51))
    assert statuses(database) == ["delivered"] * 50
    assert {(one["status"], one["response"], one["duration"]) for one in all_attempts(database)} == {(200, b"ok", 3)}
    assert [(one.notification_id, one.delivered, one.number) for one in seen] == [(n, True, 1) for n in range(1, 51)]
    assert make(poster).run_once() == 0


def test_an_attempt_is_signed_with_the_instances_keys_at_its_time(database, subscription, make, clock):
    asked = []
    poster = FakePoster()
    announce(database, subscription, [(7, 0)])
    make(poster, keys_for=lambda instance: asked.append(instance) or [KEY, b"older"]).run_once()
    [(url, headers, body)] = poster.calls
    assert (url, body, asked) == (URL, b'{"id": 7}', [1])
    assert verify(headers, body, [KEY], clock.now()).verified
    assert len(headers["webhook-signature"].split()) == 2
    assert not verify(headers, body, [b"another"], clock.now()).verified


def test_without_a_key_nothing_is_signed(database, subscription, make):
    poster = FakePoster()
    announce(database, subscription, [(7, 0)])
    make(poster, keys=()).run_once()
    assert set(poster.calls[0][1]) == {"Elements-Webhook-Id", "webhook-id", "webhook-timestamp"}


def test_each_attempt_has_the_same_bytes_and_id_and_its_own_time(database, subscription, make, clock):
    poster = FakePoster(script(BAD, BAD, BAD))
    announce(database, subscription, [(7, 0)], body=lambda _: b'{"b": 1,  "a":"\xc3\xa9"}')
    worker = make(poster)
    for wait in (4, 16, 64, 0):
        assert worker.run_once() == 1
        assert worker.run_once() == 0
        clock.advance(wait)
    assert {body for _, _, body in poster.calls} == {b'{"b": 1,  "a":"\xc3\xa9"}'}
    assert {headers["Elements-Webhook-Id"] for _, headers, _ in poster.calls} == {"7"}
    assert len({headers["Elements-Webhook-Signature"] for _, headers, _ in poster.calls}) == 1
    stamps = [int(headers["webhook-timestamp"]) - int(START.timestamp()) for _, headers, _ in poster.calls]
    assert stamps == [0, 4, 20, 84]
    assert [one["number"] for one in all_attempts(database)] == [1, 2, 3, 4]
    assert statuses(database) == ["delivered"]


def test_what_becomes_due_during_a_run_is_left_for_the_next_one(database, subscription, make, clock):
    """Otherwise the retries of slow receivers, which become due while others are served, would never let it end."""

    def answer(call):
        clock.advance(10)
        return BAD

    announce(database, subscription, [(1, 0), (2, 1)])
    worker = make(FakePoster(answer), workers=1)
    assert worker.run_once() == 2
    assert worker.run_once() > 0


def test_what_failed_holds_its_lane_and_no_other(database, subscription, make, clock):
    poster = FakePoster(lambda call: BAD if call[1]["webhook-id"] == "2" else OK)
    announce(database, subscription, [(1, 3), (2, 3), (3, 3), (4, 5)])
    worker = make(poster)
    assert worker.run_once() == 3
    assert statuses(database) == ["delivered", "retry", "created", "delivered"]
    announce(database, subscription, [(5, 5), (6, 3)])
    worker.run_once()
    assert sorted(poster.ids) == [1, 2, 4, 5]
    poster.answer = lambda call: OK
    clock.advance(4)
    worker.run_once()
    assert poster.ids[-3:] == [2, 3, 6]


def test_after_nine_retries_the_subscription_is_deactivated(database, subscription, make, clock):
    poster, seen = FakePoster(lambda call: BAD), []
    announce(database, subscription, [(1, 0), (2, 0)])
    worker = make(poster, on_attempt=seen.append)
    for retry in range(1, 11):
        assert worker.run_once() == 1
        clock.advance(4**retry - 1)
        assert worker.run_once() == 0
        clock.advance(1)
    assert statuses(database) == ["queued", "queued"]
    assert poster.ids == [1] * 10
    assert [one.deactivated for one in seen] == [None] * 9 + ["10 attempts failed, the last one answered 500"]
    assert [one.retry_at is None for one in seen] == [False] * 9 + [True]
    announce(database, subscription, [(3, 1)])
    assert worker.run_once() == 0
    assert statuses(database) == ["queued"] * 3


def test_a_drain_begins_nothing_after_its_deadline_or_a_stop(database, subscription, make, clock):
    """A receiver that hangs takes its time for each attempt; what waits behind it is left for the next run."""

    def hang(_call):
        clock.advance(15)
        return Posted(status=None, duration=15_000_000, error="no answer")

    poster, stop = FakePoster(hang), threading.Event()
    announce(database, subscription, [(number, number % 8) for number in range(1, 41)])
    assert make(poster).drain(clock.now() + timedelta(seconds=20), stop) is False
    assert 1 <= len(poster.ids) <= 4
    stop.set()
    made = len(poster.ids)
    assert make(poster).drain(clock.now() + timedelta(days=1), stop) is False
    assert len(poster.ids) == made


def test_gone_deactivates_at_once_and_reactivating_sends_it_all(database, subscription, make, clock):
    poster = FakePoster(script(Posted(status=410, duration=1)))
    announce(database, subscription, [(1, 0), (2, 0)])
    assert make(poster).run_once() == 1
    assert statuses(database) == ["queued", "queued"]
    with database.write() as connection:
        subscriptions.reactivate(connection, subscription, to_micros(clock.now()))
    assert make(poster).run_once() == 2
    assert poster.ids == [1, 1, 2]


def test_a_receiver_that_asks_for_time_gets_it(database, subscription, make, clock):
    poster = FakePoster(script(Posted(status=429, duration=1, retry_after="30")))
    announce(database, subscription, [(1, 0)])
    worker = make(poster)
    counts = []
    for wait in (29, 1, 0):
        counts.append(worker.run_once())
        clock.advance(wait)
    assert counts == [1, 0, 1]


def test_two_workers_on_one_store_deliver_nothing_twice_and_nothing_out_of_order(url_of_store, database, make, clock):
    """Eighty objects, a receiver that often fails: per object, what arrives is 1, 2, 3 ..."""
    chance = random.Random(7)
    subscription_ids = [subscribe(database, 1, f"http://{name}.test/") for name in "ab"]
    arrived, guard = defaultdict(list), threading.Lock()

    def answer(call):
        with guard:
            if chance.random() < 0.2:
                return BAD if chance.random() < 0.7 else Posted(error="no answer", duration=1)
            content = json.loads(call[2])
            arrived[call[0], content["object"]].append(content["sequence"])
            return OK

    content = {}
    for sequence in range(1, 8):
        for thing in range(80):
            content[len(content) + 1] = {"object": thing, "sequence": sequence}
    made = [(number, held["object"] % 8) for number, held in content.items()]
    announce(database, subscription_ids[0], made, body=lambda number: json.dumps(content[number]).encode())
    with database.write() as connection:
        deliveries.add(connection, subscription_ids[1], made, to_micros(START))
    other = Database.open(url_of_store)
    workers = [make(FakePoster(answer), store=store, owner=f"{store}") for store in (database, other)]
    for _ in range(200):
        threads = [threading.Thread(target=worker.run_once) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if "created" not in (left := statuses(database)) and "retry" not in left:
            break
        clock.advance(70_000)
    other.close()
    assert set(statuses(database)) == {"delivered"}
    assert all(worker._lane._poster.calls for worker in workers)
    assert len(arrived) == 160
    assert all(sequences == list(range(1, 8)) for sequences in arrived.values())


def test_a_lane_that_another_worker_took_over_writes_nothing(database, subscription, make, clock, caplog):
    """A process that was suspended in the middle of an attempt, for longer than its lease."""
    announce(database, subscription, [(1, 0), (2, 0)])
    second = make(FakePoster(), owner="second")

    def suspended(_call):
        clock.advance(LANE_LEASE.total_seconds())
        assert second.run_once() == 2
        return BAD

    first = FakePoster(suspended)
    seen = []
    assert make(first, on_attempt=seen.append).run_once() == 0
    # It does not go on with the second, which would arrive late.
    assert (first.ids, seen) == ([1], [])
    assert statuses(database) == ["delivered"] * 2
    assert len(all_attempts(database)) == 2
    assert "another worker has taken over lane 0" in caplog.text


KILLED = """
import os, sys
from connectory.clock import SystemClock
from connectory.delivery.worker import DeliveryWorker
from connectory.store.database import Database
from connectory.delivery.poster import Posted

class Dying:
    def post(self, url, headers, body):
        sys.stdout.buffer.write(headers["Elements-Webhook-Id"].encode() + b" " + body)
        sys.stdout.buffer.flush()
        if len(sys.argv) > 2 and headers["Elements-Webhook-Id"] == "1":
            return Posted(status=200, duration=1)
        os._exit(9)

database = Database.open(sys.argv[1])
DeliveryWorker(database, SystemClock(), "dead", lambda _: [b"key"], poster=Dying()).run_once()
"""


def test_a_process_that_dies_between_sending_and_writing_down_sends_the_same_again(
    url_of_store, database, subscription, make, clock
):
    announce(database, subscription, [(1, 0), (2, 0)], body=lambda number: b'{ "number":%d}\n' % number)
    died = subprocess.run([sys.executable, "-c", KILLED, url_of_store, "second"], capture_output=True, check=False)
    assert (died.returncode, died.stdout) == (9, b'1 { "number":1}\n2 { "number":2}\n'), died.stderr
    assert statuses(database) == ["created"] * 2
    poster = FakePoster()
    clock._moment = datetime.now(UTC)
    # Its lease stands, for all that others know.
    assert make(poster).run_once() == 0
    with database.write() as connection:
        lanes.free_leases(connection, ["dead"])
    assert make(poster).run_once() == 2
    assert [(headers["Elements-Webhook-Id"], body) for _, headers, body in poster.calls] == [
        ("1", b'{ "number":1}\n'),
        ("2", b'{ "number":2}\n'),
    ]


def test_a_dead_workers_lane_is_taken_over_when_its_lease_runs_out(database, subscription, make, clock):
    announce(database, subscription, [(1, 0)])
    with database.write() as connection:
        now = to_micros(clock.now())
        until = now + round(LANE_LEASE.total_seconds() * 1_000_000)
        assert lanes.claim(connection, owner="dead", now=now, until=until, limit=9)
    worker = make(FakePoster())
    assert worker.run_once() == 0
    clock.advance(LANE_LEASE.total_seconds())
    assert worker.run_once() == 1


def test_what_breaks_in_one_lane_is_logged_once_and_stops_no_other(database, subscription, make, clock, caplog):
    broken = threading.Event()
    broken.set()

    def answer(call):
        if call[1]["webhook-id"] == "2" and broken.is_set():
            raise ZeroDivisionError
        return OK

    announce(database, subscription, [(1, 3), (2, 3), (3, 3), (4, 4)])
    worker = make(FakePoster(answer))
    with caplog.at_level(logging.INFO):
        worker.run_once()
        # What went well before is written down; what broke was no attempt that counts.
        assert statuses(database) == ["delivered", "created", "created", "delivered"]
        assert len(all_attempts(database)) == 2
        assert worker.run_once() == 0
        clock.advance(REST.total_seconds())
        worker.run_once()
        assert caplog.text.count("cannot be delivered") == 1
        assert "ZeroDivisionError" in caplog.text
        broken.clear()
        clock.advance(REST.total_seconds())
        assert worker.run_once() == 2
    assert caplog.text.count("is delivered again") == 1


def test_keys_that_cannot_be_had_count_against_nobody(database, subscription, make, clock):
    announce(database, subscription, [(1, 3)])

    def keys_for(_instance):
        raise StoreError("the key ring is locked")

    poster = FakePoster()
    assert make(poster, keys_for=keys_for).run_once() == 0
    assert (poster.calls, all_attempts(database), statuses(database)) == ([], [], ["created"])


def test_an_observer_that_fails_stops_nothing(database, subscription, make, caplog):
    def watch(_attempted):
        raise ZeroDivisionError

    announce(database, subscription, [(1, 3), (2, 3), (3, 4)])
    assert make(FakePoster(), on_attempt=watch).run_once() == 3
    assert statuses(database) == ["delivered"] * 3
    assert caplog.text.count("the observer of deliveries failed") == 1


def test_a_receivers_failure_and_recovery_are_logged_once_without_the_url(database, subscription, make, clock, caplog):
    announce(database, subscription, [(1, 0)])
    worker = make(FakePoster(script(Posted(error="the connection was refused", duration=1), BAD, BAD)))
    with caplog.at_level(logging.INFO):
        for retry in range(1, 5):
            worker.run_once()
            clock.advance(4**retry)
    assert [record.getMessage() for record in caplog.records] == [
        "instance 1: receiver.test does not accept notifications: the connection was refused",
        "instance 1: receiver.test accepts notifications again",
    ]


def test_receivers_that_do_not_answer_leave_room_for_those_that_do(database, subscription, make, clock):
    """Eight lanes of a receiver that hangs, eight threads: the other receiver's notifications still go out."""
    healthy = subscribe(database, 1, "http://healthy.test/")
    hanging, proceed = threading.Semaphore(0), threading.Event()

    def answer(call):
        if call[0] == URL:
            hanging.release()
            proceed.wait(10)
            return Posted(error="no answer", duration=15_000)
        return OK

    announce(database, subscription, [(lane + 1, lane) for lane in range(8)])
    arrived = threading.Event()
    worker = make(
        FakePoster(answer), workers=8, on_attempt=lambda made: made.subscription_id == healthy and arrived.set()
    )
    proceed.set()
    assert worker.run_once() == 8
    proceed.clear()
    while hanging.acquire(blocking=False):
        pass
    clock.advance(4)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        # Two of eight threads wait for it.
        assert [hanging.acquire(timeout=5) for _ in range(2)] == [True, True]
        announce(database, healthy, [(100 + lane, lane) for lane in range(8)])
        worker.wake()
        assert arrived.wait(5)
        assert not hanging.acquire(blocking=False)
    finally:
        proceed.set()
        stop.set()
        worker.wake()
        thread.join(5)
    assert not thread.is_alive()


def run_in_thread(worker):
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()

    def end():
        stop.set()
        worker.wake()
        thread.join(10)
        assert not thread.is_alive()

    return stop, end


def test_it_runs_until_it_is_stopped_retries_included(database, subscription, make, clock):
    done = threading.Event()
    poster = FakePoster(script(BAD, BAD))
    worker = make(poster, on_attempt=lambda made: made.notification_id == 2 and made.delivered and done.set())
    _, end = run_in_thread(worker)
    announce(database, subscription, [(1, 0), (2, 0)])
    worker.wake()
    assert done.wait(10)
    end()
    assert poster.ids == [1, 1, 1, 2]
    # Between looks it naps, a second at most; it does not spin.
    assert max(clock.waits) == 1.0


def test_stopping_ends_the_attempt_it_is_in_writes_it_down_and_gives_the_lanes_up(database, subscription, make):
    sending, proceed = threading.Event(), threading.Event()

    def answer(_call):
        sending.set()
        assert proceed.wait(10)
        return OK

    poster = FakePoster(answer)
    announce(database, subscription, [(number, 0) for number in range(1, 6)])
    stop, end = run_in_thread(make(poster))
    assert sending.wait(10)
    stop.set()
    proceed.set()
    end()
    assert poster.ids == [1]
    assert statuses(database) == ["delivered"] + ["created"] * 4
    with database.read() as connection:
        assert not connection.execute(select(lane_rows).where(lane_rows.c.lease_owner.is_not(None))).all()


def test_stopping_gives_up_what_could_not_be_written_down(database, subscription, make, monkeypatch):
    announce(database, subscription, [(1, 0)])
    tried = threading.Event()

    def record(*_args, **_options):
        tried.set()
        raise StoreError("the disk is full")

    monkeypatch.setattr(deliveries, "record", record)
    _, end = run_in_thread(make(FakePoster()))
    assert tried.wait(10)
    end()
    with database.read() as connection:
        assert not connection.execute(select(lane_rows).where(lane_rows.c.lease_owner.is_not(None))).all()


def test_a_store_that_fails_for_a_while_stops_nothing(database, subscription, make, caplog, monkeypatch):
    announce(database, subscription, [(1, 0)])
    done, tries = threading.Event(), []
    real = lanes.next_due

    def next_due(*args):
        tries.append(1)
        if len(tries) <= 3:
            raise StoreError("the disk is full")
        return real(*args)

    monkeypatch.setattr(lanes, "next_due", next_due)
    with caplog.at_level(logging.INFO):
        _, end = run_in_thread(make(FakePoster(), on_attempt=lambda _: done.set()))
        assert done.wait(10)
        end()
    assert caplog.text.count("the disk is full") == 1
    assert caplog.text.count("notifications are delivered again") == 1


def test_draining_delivers_the_retries_too(database, subscription, make, clock):
    poster = FakePoster(script(BAD, BAD))
    announce(database, subscription, [(1, 0), (2, 0)])
    assert make(poster).drain(START + timedelta(seconds=60))
    # 4 s and 16 s.
    assert clock.now() == START + timedelta(seconds=20)
    assert statuses(database) == ["delivered"] * 2


def test_draining_gives_up_where_the_next_retry_is_too_late(database, subscription, make, clock):
    announce(database, subscription, [(1, 0), (2, 0)])
    worker = make(FakePoster(lambda _: BAD))
    assert not worker.drain(START + timedelta(seconds=60))
    # 4 + 16 s; the next would be at 84 s.
    assert clock.now() == START + timedelta(seconds=20)
    assert make(FakePoster()).drain(START) is False


def test_it_can_be_narrowed_to_some_instances(database, subscription, make):
    with database.write() as connection:
        add_instance(connection, 2)
    other = subscribe(database, 2)
    announce(database, subscription, [(1, 0)])
    announce(database, other, [(2, 0)], instance_id=2)
    poster = FakePoster()
    assert make(poster, instance_ids=[2]).run_once() == 1
    assert poster.ids == [2]


def test_a_batch_ends_in_time_for_its_lease(database, subscription, make, clock):
    """Answers of 15 s each: what is sent at the end of a claim is still within its lease."""
    ages = []

    def answer(_call):
        clock.advance(15)
        with database.read() as connection:
            [until] = connection.execute(select(lane_rows.c.lease_until).where(lane_rows.c.lane == 0)).scalars()
        ages.append(until - to_micros(clock.now()))
        return OK

    announce(database, subscription, [(number, 0) for number in range(1, 21)])
    worker = make(FakePoster(answer))
    while "created" in statuses(database):
        worker.run_once()
    assert len(ages) == 20
    assert min(ages) > 60_000_000


def test_the_two_ends_fit(database, subscription, make, clock):
    """Worker to receiver: signed, in order, known again."""
    received = []
    receiver = Receiver([KEY], received.append, now=clock.now)

    def answer(call):
        _, headers, body = call
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        environ |= {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        answers = []
        receiver(environ, lambda status, _headers: answers.append(int(status[:3])))
        # The answer to the first gets lost on its way.
        lost = len(received) == 1
        return Posted(error="no answer", duration=1) if lost else Posted(status=answers[0], duration=1)

    def body(number):
        entry = {"objectId": "a", "objectType": "things", "sequence": number}
        return json.dumps({"message": {"instanceId": 1, "events": [entry]}}).encode()

    announce(database, subscription, [(number, 0) for number in range(1, 5)], body=body)
    worker = make(FakePoster(answer))
    worker.run_once()
    clock.advance(4)
    worker.run_once()
    assert [(one.id, one.duplicate) for one in received] == [
        ("1", False),
        ("1", True),
        ("2", False),
        ("3", False),
        ("4", False),
    ]
    assert all(one.verified and not one.out_of_order for one in received)
