"""Renewal: once, whoever asks; stored before it is used; never in circles."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import responses

from connectory.auth import BearerAuth, Token
from connectory.errors import AuthenticationError, ConfigurationError, RetryLaterError, StoreError
from connectory.http import Client
from connectory.instances.login.consent import AuthorizationFlow
from connectory.instances.login.tokens import COOL_DOWN, RENEWAL_LEASE, TokenKeeper
from connectory.model import OAuth2, Request
from connectory.secrets import KeyRing, Secret, redactor
from connectory.store import credentials, instances
from connectory.store.database import Database
from connectory.testing.clock import ManualClock

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEYS = KeyRing({"k": b"k" * 32})
LIFE = timedelta(seconds=1800)


class Provider:
    """Hands out pairs; `rotates`: a refresh token is good once. `during` happens while it is asked."""

    def __init__(self, clock, *, rotates=True, life=LIFE):
        self.clock, self.rotates, self.life = clock, rotates, life
        self.calls, self.number, self.good = 0, 1, "refresh-1"
        self.during = lambda: None
        self.failure = None

    def pair(self):
        return Token(
            access_token=Secret(f"access-{self.number}"),
            refresh_token=Secret(self.good),
            expires_at=self.clock.now() + self.life,
        )

    def refresh(self, token):
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        if token.refresh_token.reveal() != self.good:
            raise AuthenticationError("the provider refused the login: invalid_grant")
        self.number += 1
        if self.rotates:
            self.good = f"refresh-{self.number}"
        pair = self.pair()
        self.during()
        return pair


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def database(tmp_path):
    opened = Database.open(f"sqlite:///{tmp_path}/a.db")
    with opened.write() as connection:
        facts = {"element_key": "e", "name": "n", "tags": [], "configuration": {}, "external_authentication": "none"}
        instances.add(connection, facts | {"state": instances.ACTIVE, "created_at": 0, "updated_at": 0})
    yield opened
    opened.close()


@pytest.fixture
def keeper(database, clock):
    return TokenKeeper(database, KEYS, clock, "me")


@pytest.fixture
def other(database, clock):
    """The keeper of another process."""
    return TokenKeeper(database, KEYS, clock, "you")


@pytest.fixture
def provider(clock):
    return Provider(clock)


@pytest.fixture
def source(keeper, provider):
    keeper.save(1, provider.pair())
    return keeper.source(1, provider.refresh)


def text(token):
    return token.access_token.reveal()


def row(database):
    with database.read() as connection:
        return credentials.get(connection, 1)


# Storing


def test_a_login_comes_back_as_it_was(keeper):
    token = Token(
        access_token=Secret("access"),
        refresh_token=Secret("refresh"),
        token_type="bearer",
        expires_at=NOON.replace(microsecond=5),
        scope="a b",
        extra={"requested_by_id": "ann"},
    )
    saved = keeper.save(1, token)
    assert saved.version == 1
    assert keeper.load(1) == saved
    assert keeper.save(1, Token(access_token=Secret("x"))).version == 2
    assert keeper.load(1) == Token(access_token=Secret("x"), version=2)


def test_no_login(keeper, provider):
    assert keeper.load(1) is None
    with pytest.raises(AuthenticationError, match="no login"):
        keeper.source(1, provider.refresh).current()


def test_tokens_are_encrypted_and_bound_to_their_row_and_column(keeper, provider, database):
    keeper.save(1, provider.pair())
    stored = row(database)
    assert KEYS.decrypt(stored.access_token, bound_to="1:access_token").reveal() == "access-1"
    assert KEYS.decrypt(stored.refresh_token, bound_to="1:refresh_token").reveal() == "refresh-1"
    with pytest.raises(StoreError):
        KEYS.decrypt(stored.access_token, bound_to="1:refresh_token")


def test_tokens_are_kept_out_of_logs(keeper):
    keeper.save(1, Token(access_token=Secret("access-in-a-log"), refresh_token=Secret("refresh-in-a-log")))
    assert redactor.scrub("access-in-a-log refresh-in-a-log") == "******** ********"


# When it is renewed


def test_a_good_token_costs_no_query(source, database, monkeypatch):
    source.current()
    monkeypatch.setattr(database, "read", None)
    assert text(source.current()) == "access-1"


@pytest.mark.parametrize(
    ("life", "early"),
    [(1800, 60), (600, 60), (300, 30), (50, 5), (3, 0.3)],  # 60 s or a tenth, whichever is less
)
def test_trap_c_it_is_renewed_before_it_ends(keeper, clock, life, early):
    provider = Provider(clock, life=timedelta(seconds=life))
    keeper.save(1, provider.pair())
    source = keeper.source(1, provider.refresh)
    clock.advance(life - early - 0.01)
    assert (text(source.current()), provider.calls) == ("access-1", 0)
    clock.advance(0.02)
    assert (text(source.current()), provider.calls) == ("access-2", 1)


def test_trap_b_a_reloaded_token_is_as_old_as_it_was(source, keeper, provider, clock):
    clock.advance(LIFE / 2)
    assert text(source.current()) == "access-1"
    reloaded = keeper.source(1, provider.refresh)
    clock.advance(LIFE / 2)
    assert text(reloaded.current()) == "access-2"


def test_a_token_without_an_end_is_good_until_it_is_refused(keeper, provider, clock):
    keeper.save(1, Token(access_token=Secret("access-1"), refresh_token=Secret("refresh-1")))
    source = keeper.source(1, provider.refresh)
    clock.advance(timedelta(days=365))
    assert text(source.current()) == "access-1"
    assert text(source.renew("access-1")) == "access-2"


def test_an_instance_may_start_from_a_refresh_token_alone(keeper, provider):
    keeper.save(1, Token(access_token=Secret(""), refresh_token=Secret("refresh-1")))
    assert text(keeper.source(1, provider.refresh).current()) == "access-2"


def test_the_new_pair_is_stored_before_it_is_used(source, keeper, provider, clock):
    clock.advance(LIFE)
    token = source.current()
    stored = keeper.load(1)
    assert stored == token
    assert (stored.refresh_token.reveal(), stored.version) == ("refresh-2", 2)


def test_renewals_one_after_another(source, provider, clock):
    for number in range(2, 7):
        clock.advance(LIFE)
        assert text(source.current()) == f"access-{number}"
    assert provider.calls == 5


def test_without_a_refresh_token_it_is_used_to_its_end(keeper, clock):
    keeper.save(1, Token(access_token=Secret("a"), expires_at=NOON + LIFE))
    source = keeper.source(1, None)
    clock.advance(LIFE - timedelta(seconds=1))
    assert text(source.current()) == "a"
    clock.advance(1)
    for ask in (source.current, lambda: source.renew("a")):
        with pytest.raises(AuthenticationError, match="no refresh token"):
            ask()


# Refused tokens


def test_trap_f_a_refused_token_is_renewed(source, provider):
    assert text(source.current()) == "access-1"
    assert text(source.renew("access-1")) == "access-2"
    assert text(source.current()) == "access-2"
    assert provider.calls == 1


def test_a_token_that_another_process_has_renewed_is_just_read(source, other, provider):
    source.current()
    other.source(1, provider.refresh).renew("access-1")
    assert text(source.renew("access-1")) == "access-2"
    assert provider.calls == 1


def test_a_new_login_is_just_read(source, keeper, provider):
    source.current()
    keeper.save(1, Token(access_token=Secret("by-hand"), refresh_token=Secret("r")))
    assert text(source.renew("access-1")) == "by-hand"
    assert provider.calls == 0


@responses.activate
def test_a_401_renews_stores_and_sends_once_more(keeper, provider, clock):
    """The whole way: client, auth, source, flow, token endpoint, store."""
    responses.get("https://acme.example/x", status=401)
    responses.get("https://acme.example/x", json=[], match=[_bearer("access-9")])
    responses.post(
        "https://acme.example/token",
        json={"access_token": "access-9", "refresh_token": "refresh-9", "expires_in": 300},
    )
    oauth = OAuth2(authorize_url="https://acme.example/auth", token_url="https://acme.example/token")
    flow = AuthorizationFlow(oauth=oauth, config={"oauth.api.key": "k", "oauth.api.secret": Secret("s")}, now=clock.now)
    keeper.save(1, provider.pair())
    client = Client(base_url="https://acme.example", auth=BearerAuth(keeper.source(1, flow.endpoint.refresh)))
    assert client.send(Request(path="/x")).json() == []
    assert keeper.load(1).refresh_token.reveal() == "refresh-9"
    assert [call.request.url for call in responses.calls] == [
        "https://acme.example/x",
        "https://acme.example/token",
        "https://acme.example/x",
    ]
    assert responses.calls[1].request.body == "grant_type=refresh_token&refresh_token=refresh-1"


def _bearer(token):
    return responses.matchers.header_matcher({"Authorization": f"Bearer {token}"})


# Threads


@pytest.mark.parametrize("shared", [True, False], ids=["one source", "a source each"])
def test_trap_d_eight_threads_renew_once(keeper, source, provider, clock, shared):
    clock.advance(LIFE)
    provider.during = lambda: threading.Event().wait(0.02)
    start = threading.Barrier(8)

    def ask(_number):
        mine = source if shared else keeper.source(1, provider.refresh)
        start.wait()
        return text(mine.current())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"access-2"}
    assert provider.calls == 1


def test_eight_threads_with_a_refused_token_renew_once(source, provider):
    provider.during = lambda: threading.Event().wait(0.02)
    start = threading.Barrier(8)

    def ask(_number):
        start.wait()
        return text(source.renew("access-1"))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"access-2"}
    assert provider.calls == 1


def test_nobody_waits_for_an_early_renewal(source, provider, clock):
    clock.advance(LIFE - timedelta(seconds=10))
    asking, asked = threading.Event(), threading.Event()
    provider.during = lambda: (asking.set(), asked.wait(10))
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(source.current)
        asking.wait(10)
        assert text(source.current()) == "access-1"
        asked.set()
        assert text(renewing.result()) == "access-2"
    assert provider.calls == 1


def test_a_thread_that_is_stuck_does_not_hold_the_others_for_ever(source, clock, monkeypatch):
    monkeypatch.setattr("connectory.instances.login.tokens._PATIENCE", 0.01)
    source.current()
    clock.advance(LIFE)
    source._lock.acquire()
    for ask in (source.current, lambda: source.renew("access-1")):
        with pytest.raises(RetryLaterError, match="another thread"):
            ask()


# Processes


def test_who_comes_later_waits_for_the_renewal_of_another_process(source, other, provider, database, clock):
    clock.advance(LIFE)
    with database.write() as connection:
        _hold(connection, clock)
    waits, wait = [], clock.wait

    def meanwhile(event, seconds):
        waits.append(seconds)
        if len(waits) == 3:
            other.store_renewed(1, other.load(1), Token(access_token=Secret("theirs"), refresh_token=Secret("r")))
        return wait(event, seconds)

    clock.wait = meanwhile
    assert text(source.current()) == "theirs"
    assert (provider.calls, len(waits)) == (0, 3)


def _hold(connection, clock):
    from connectory.clock import to_micros

    now = clock.now()
    return credentials.take_lease(
        connection, 1, version=1, owner="you", now=to_micros(now), until=to_micros(now + RENEWAL_LEASE)
    )


def test_nobody_waits_for_an_early_renewal_of_another_process(source, provider, database, clock):
    clock.advance(LIFE - timedelta(seconds=10))
    with database.write() as connection:
        _hold(connection, clock)
    assert text(source.current()) == "access-1"
    assert (provider.calls, clock.now()) == (0, NOON + LIFE - timedelta(seconds=10))


def test_a_process_that_is_gone_holds_the_others_for_the_lease_at_most(source, provider, database, clock):
    clock.advance(LIFE)
    with database.write() as connection:
        _hold(connection, clock)
    started = clock.now()
    assert text(source.current()) == "access-2"
    assert RENEWAL_LEASE <= clock.now() - started <= RENEWAL_LEASE + timedelta(seconds=1)
    assert row(database).lease_owner is None


def test_waiting_has_an_end(source, provider, database, clock):
    """Somebody takes the lease again and again, and gets nowhere."""
    clock.advance(LIFE)
    wait = clock.wait

    def take_it(event, seconds):
        with database.write() as connection:
            credentials.free_leases(connection, ["you"])
            _hold(connection, clock)
        return wait(event, seconds)

    take_it(threading.Event(), 0)
    clock.wait = take_it
    with pytest.raises(RetryLaterError, match="another process"):
        source.current()
    assert provider.calls == 0


def test_the_pair_of_a_slow_process_counts_although_its_lease_has_run_out(source, other, provider, clock):
    """The provider has ended the old pair by then: the slow one's is the only good one."""
    clock.advance(LIFE)

    def somebody_loses_patience():
        provider.during = lambda: None
        clock.advance(RENEWAL_LEASE + timedelta(seconds=1))
        with pytest.raises(AuthenticationError, match="invalid_grant"):
            other.source(1, provider.refresh).current()

    provider.during = somebody_loses_patience
    assert text(source.current()) == "access-2"
    assert provider.calls == 2
    # What the other one wrote down is forgotten.
    assert text(other.source(1, provider.refresh).current()) == "access-2"


def test_the_pair_that_was_stored_first_counts(keeper, other, clock, database):
    provider = Provider(clock, rotates=False)
    keeper.save(1, provider.pair())
    clock.advance(LIFE)

    def somebody_loses_patience():
        provider.during = lambda: None
        clock.advance(RENEWAL_LEASE + timedelta(seconds=1))
        assert text(other.source(1, provider.refresh).current()) == "access-3"

    provider.during = somebody_loses_patience
    assert text(keeper.source(1, provider.refresh).current()) == "access-3"
    assert row(database).version == 2


def test_a_login_by_hand_during_a_renewal_counts(source, other, provider, clock):
    clock.advance(LIFE)
    provider.during = lambda: other.save(1, Token(access_token=Secret("by-hand"), refresh_token=Secret("r")))
    assert text(source.current()) == "by-hand"


def test_an_instance_that_is_deleted_during_a_renewal(source, provider, database, clock):
    clock.advance(LIFE)

    def delete():
        with database.write() as connection:
            instances.remove(connection, 1)

    provider.during = delete
    with pytest.raises(AuthenticationError, match="no login"):
        source.current()


CHILD = """if True:
    import pathlib, sys, time
    from datetime import timedelta
    from connectory.auth import Token
    from connectory.clock import SystemClock
    from connectory.instances.login.tokens import TokenKeeper
    from connectory.errors import AuthenticationError
    from connectory.secrets import KeyRing, Secret
    from connectory.store.database import Database

    home, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    clock = SystemClock()
    keeper = TokenKeeper(Database.open(f"sqlite:///{home}/a.db"), KeyRing({"k": b"k" * 32}), clock, name)

    def refresh(token):
        # Each refresh token is good once: whoever makes its file first.
        old = token.refresh_token.reveal()
        try:
            (home / old).touch(exist_ok=False)
        except FileExistsError:
            raise AuthenticationError("invalid_grant") from None
        time.sleep(0.05)
        if name == "killed":
            import os
            os._exit(9)
        number = int(old.rpartition("-")[2]) + 1
        return Token(
            access_token=Secret(f"access-{number}"), refresh_token=Secret(f"refresh-{number}"),
            expires_at=clock.now() + timedelta(hours=1),
        )

    source = keeper.source(1, refresh)
    print("ready", flush=True)
    for rejected in sys.stdin:
        print(source.renew(rejected.strip()).access_token.reveal(), flush=True)
"""


@pytest.fixture
def start(tmp_path):
    children = []

    def start(name):
        command = [sys.executable, "-c", CHILD, tmp_path, name]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return children[-1]

    yield start
    for child in children:
        child.communicate(timeout=30)


def test_four_processes_renew_once(keeper, start, tmp_path, provider, database):
    keeper.save(1, provider.pair())
    children = [start(f"process-{number}") for number in range(4)]
    assert {child.stdout.readline() for child in children} == {"ready\n"}
    for number in range(1, 5):
        for child in children:
            child.stdin.write(f"access-{number}\n")
            child.stdin.flush()
        assert {child.stdout.readline() for child in children} == {f"access-{number + 1}\n"}
    assert sorted(path.name for path in tmp_path.glob("refresh-*")) == [f"refresh-{number}" for number in range(1, 5)]
    assert row(database).version == 5


@pytest.mark.parametrize("rotates", [True, False])
def test_killed_between_the_provider_and_the_store(keeper, start, database, clock, rotates):
    """The new pair is lost. It heals where the old one is still good, else a person must log in; never a circle."""
    provider = Provider(clock, rotates=rotates)
    keeper.save(1, provider.pair())
    killed = start("killed")
    assert killed.stdout.readline() == "ready\n"
    killed.stdin.write("access-1\n")
    killed.stdin.flush()
    assert killed.wait(30) == 9
    assert row(database).lease_owner == "killed"
    # The provider has handed out the pair that was lost.
    provider.number = 2
    provider.good = "refresh-2" if rotates else "refresh-1"
    clock.advance(datetime.now(UTC) - clock.now())
    source = keeper.source(1, provider.refresh)
    if rotates:
        for _ in range(5):
            with pytest.raises(AuthenticationError, match="invalid_grant"):
                source.renew("access-1")
    else:
        assert text(source.renew("access-1")) == "access-3"
    assert provider.calls == 1
    assert Path(str(database.engine.url.database)).with_name("refresh-1").exists()


# Failures


def test_a_dead_login_is_asked_about_once_in_a_while(source, other, provider, database, clock):
    provider.good = "another"
    clock.advance(LIFE)
    started = clock.now()
    for ask in (source.current, source.current, lambda: source.renew("access-1")):
        with pytest.raises(AuthenticationError, match=r"^the provider refused the login: invalid_grant"):
            ask()
    with pytest.raises(AuthenticationError, match=r"^the provider refused the login: invalid_grant"):
        other.source(1, provider.refresh).current()
    assert (provider.calls, clock.now()) == (1, started)
    assert row(database).failure == "the provider refused the login: invalid_grant"
    clock.advance(COOL_DOWN)
    with pytest.raises(AuthenticationError):
        source.current()
    assert provider.calls == 2


def test_a_new_login_ends_the_pause(source, keeper, provider, clock):
    provider.good = "another"
    clock.advance(LIFE)
    with pytest.raises(AuthenticationError):
        source.current()
    keeper.save(1, provider.pair())
    assert text(source.current()) == "access-1"
    assert text(source.renew("access-1")) == "access-2"


def test_a_refusal_is_believed_only_of_the_row_that_was_refused(source, other, provider, database, clock):
    """Another process was faster: it is the old refresh token that was refused."""
    clock.advance(LIFE)
    refresh = provider.refresh

    def too_late(token):
        other.store_renewed(1, token, refresh(token))
        return refresh(token)

    source._refresh = too_late
    assert text(source.current()) == "access-2"
    assert (provider.calls, row(database).failed_at) == (2, None)


def test_a_passing_failure_does_not_matter_while_the_token_is_good(source, provider, clock):
    clock.advance(LIFE - timedelta(seconds=50))
    provider.failure = RetryLaterError("busy")
    for _ in range(3):
        assert text(source.current()) == "access-1"
    assert provider.calls == 1
    clock.advance(COOL_DOWN)
    provider.failure = None
    assert text(source.current()) == "access-2"


@pytest.mark.parametrize("ask", [lambda source: source.current(), lambda source: source.renew("access-1")])
@pytest.mark.parametrize("failure", [RetryLaterError("busy"), ConfigurationError("no https")])
def test_a_passing_failure_is_raised_where_there_is_no_good_token(source, provider, database, clock, failure, ask):
    clock.advance(LIFE)
    provider.failure = failure
    for _ in range(3):
        with pytest.raises(type(failure)) as caught:
            ask(source)
        assert caught.value is failure
    assert provider.calls == 1
    assert (row(database).failed_at, row(database).lease_owner) == (None, None)
    provider.failure = None
    clock.advance(COOL_DOWN)
    assert text(ask(source)) == "access-2"


@pytest.mark.parametrize(("asked", "quiet"), [(None, 30), (5.0, 30), (120.0, 120), (1e12, 3600)])
def test_a_provider_that_asks_for_patience_gets_it(source, provider, clock, asked, quiet):
    clock.advance(LIFE)
    provider.failure = RetryLaterError("busy", retry_after=asked)
    with pytest.raises(RetryLaterError):
        source.current()
    provider.failure = None
    clock.advance(quiet - 1)
    with pytest.raises(RetryLaterError):
        source.current()
    clock.advance(1)
    assert text(source.current()) == "access-2"


def test_an_interrupted_renewal_holds_nobody(source, provider, database, clock):
    clock.advance(LIFE)
    provider.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        source.current()
    assert row(database).lease_owner is None
    provider.failure = None
    assert text(source.current()) == "access-2"


def test_a_pair_that_cannot_be_stored_is_not_lost_and_not_used(source, keeper, provider, database, clock, monkeypatch):
    """The provider has ended the old one: asking again would end the login."""
    clock.advance(LIFE)

    def full(*arguments):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(credentials, "replace", full)
        for _ in range(3):
            with pytest.raises(StoreError, match="disk is full"):
                source.current()
    assert row(database).version == 1
    token = source.current()
    assert (text(token), token.version, provider.calls) == ("access-2", 2, 1)
    assert keeper.load(1) == token
    clock.advance(LIFE)
    assert text(source.current()) == "access-3"
