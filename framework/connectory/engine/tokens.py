"""Keeps the tokens of instances: always valid ones, renewed once whoever asks, and stored before they are used.

Renewal is single-flight: one thread of a process (a lock) and one process of a store (a lease with an epoch). The new
pair is written by compare-and-swap on the version, so that a provider which rotates refresh tokens never leaves us with
the old one. A refused renewal is only believed when nobody else renewed meanwhile.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..auth import Token
from ..clock import from_micros, to_micros
from ..errors import AuthenticationError, ConnectoryError, RetryLaterError
from ..secrets import Secret, redactor, reveal
from ..store import credentials

if TYPE_CHECKING:
    from sqlalchemy import Row

    from ..clock import Clock
    from ..secrets import KeyRing
    from ..store.database import Database

Refresh = Callable[[Token], Token]

# A token is renewed this long before it ends, or when a tenth of its life is left, whichever is later.
EARLY = timedelta(seconds=60)
LEASE = timedelta(seconds=60)
# After a failed renewal the provider is left alone for this long.
COOL_DOWN = timedelta(seconds=30)
_STEP = 0.2


class TokenKeeper:
    """The tokens of one store. `owner` is this process's name in leases."""

    def __init__(self, database: Database, keyring: KeyRing, clock: Clock, owner: str) -> None:
        self.database = database
        self.clock = clock
        self.owner = owner
        self._keyring = keyring
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)

    def save(self, instance_id: int, token: Token) -> Token:
        """Store a login that a person has just given."""
        with self.database.write() as connection:
            version = credentials.put(connection, instance_id, self.sealed(instance_id, token))
        return _with_version(token, version)

    def load(self, instance_id: int) -> Token | None:
        with self.database.read() as connection:
            row = credentials.get(connection, instance_id)
        return None if row is None else self.opened(instance_id, row)

    def source(self, instance_id: int, refresh: Refresh) -> InstanceTokens:
        """The tokens of one instance; `refresh` asks its provider for a new pair."""
        return InstanceTokens(self, instance_id, refresh, self._locks[instance_id])

    def sealed(self, instance_id: int, token: Token) -> dict[str, Any]:
        redactor.learn(token.access_token, token.refresh_token)
        return {
            "access_token": self._seal(instance_id, "access_token", token.access_token),
            "refresh_token": self._seal(instance_id, "refresh_token", token.refresh_token),
            "token_type": token.token_type,
            "scope": token.scope,
            "expires_at": None if token.expires_at is None else to_micros(token.expires_at),
            "extra": dict(token.extra),
            "renewed_at": to_micros(self.clock.now()),
        }

    def opened(self, instance_id: int, row: Row[Any]) -> Token:
        token = Token(
            access_token=self._open(instance_id, "access_token", row.access_token) or Secret(""),
            refresh_token=self._open(instance_id, "refresh_token", row.refresh_token),
            token_type=row.token_type,
            expires_at=None if row.expires_at is None else from_micros(row.expires_at),
            scope=row.scope,
            extra=row.extra,
            version=row.version,
        )
        redactor.learn(token.access_token, token.refresh_token)
        return token

    def _seal(self, instance_id: int, name: str, value: Secret | None) -> str | None:
        return self._keyring.encrypt(reveal(value), bound_to=f"{instance_id}:{name}") if value else None

    def _open(self, instance_id: int, name: str, value: str | None) -> Secret | None:
        return self._keyring.decrypt(value, bound_to=f"{instance_id}:{name}") if value else None


class InstanceTokens:
    """The `TokenSource` of one instance; any number of threads may ask it."""

    def __init__(self, keeper: TokenKeeper, instance_id: int, refresh: Refresh, lock: threading.Lock) -> None:
        self._keeper = keeper
        self._instance_id = instance_id
        self._refresh = refresh
        self._lock = lock
        self._token: Token | None = None
        self._life: timedelta | None = None

    def current(self) -> Token:
        token = self._token
        if token is not None and not self._is_old(token):
            return token
        with self._lock:
            token = self._reload()
            return self._renew(token) if self._is_old(token) else token

    def renew(self, rejected: str) -> Token:
        with self._lock:
            token = self._reload()
            # Another thread or process has renewed it: the one that was rejected is not the one we have.
            return self._renew(token, must=True) if token.access_token.reveal() == rejected else token

    def _is_old(self, token: Token) -> bool:
        if not token.access_token:
            return True
        if token.expires_at is None:
            return False
        early = EARLY if self._life is None else min(EARLY, self._life / 10)
        return self._keeper.clock.now() >= token.expires_at - early

    def _reload(self) -> Token:
        """The stored token, which another process may have renewed."""
        with self._keeper.database.read() as connection:
            row = credentials.get(connection, self._instance_id)
        if row is None:
            raise AuthenticationError("there is no login for it", hint="log in again")
        self._token = self._keeper.opened(self._instance_id, row)
        if row.expires_at is not None:
            self._life = timedelta(microseconds=max(0, row.expires_at - row.renewed_at))
        return self._token

    def _renew(self, token: Token, *, must: bool = False) -> Token:
        """Get a new pair, or wait for the process that is getting it. `must`: the present token is refused already."""
        if token.refresh_token is None:
            raise AuthenticationError("the access token has ended and there is no refresh token", hint="log in again")
        deadline = self._keeper.clock.now() + LEASE + timedelta(seconds=5)
        while True:
            epoch = self._take_lease(token)
            if epoch is not None:
                return self._ask(token, epoch, must=must)
            self._keeper.clock.wait(threading.Event(), _STEP)
            renewed = self._reload()
            if renewed.version != token.version:
                return renewed
            if self._keeper.clock.now() > deadline:
                raise RetryLaterError("another process has been renewing the token for too long")

    def _take_lease(self, token: Token) -> int | None:
        now = self._keeper.clock.now()
        with self._keeper.database.write() as connection:
            row = credentials.get(connection, self._instance_id)
            if row is None or row.version != token.version:
                return None
            self._refuse_while_cooling_down(row, now)
            return credentials.take_lease(
                connection,
                self._instance_id,
                owner=self._keeper.owner,
                now=to_micros(now),
                until=to_micros(now + LEASE),
            )

    def _refuse_while_cooling_down(self, row: Row[Any], now: datetime) -> None:
        if row.failed_at is not None and now < from_micros(row.failed_at) + COOL_DOWN:
            raise AuthenticationError(
                f"renewing the token failed a moment ago: {row.failure}", hint="log in again, or wait"
            )

    def _ask(self, token: Token, epoch: int, *, must: bool) -> Token:
        try:
            renewed = self._refresh(token)
        except AuthenticationError as error:
            return self._refused(token, epoch, error)
        except ConnectoryError:
            self._end_lease(epoch, {})
            if not must and token.expires_at is not None and self._keeper.clock.now() < token.expires_at:
                # It was only early: the present one is good for a little longer.
                return token
            raise
        except BaseException:
            self._end_lease(epoch, {})
            raise
        with self._keeper.database.write() as connection:
            stored = credentials.replace(
                connection, self._instance_id, token.version, epoch, self._keeper.sealed(self._instance_id, renewed)
            )
        # A person may have logged in again meanwhile: then theirs counts.
        return self._reload() if stored else self._newer_than(token)

    def _refused(self, token: Token, epoch: int, error: AuthenticationError) -> Token:
        """Believe a refusal only where the row is still the one that was refused."""
        with self._keeper.database.read() as connection:
            version = credentials.version_of(connection, self._instance_id)
        if version != token.version:
            return self._reload()
        now = to_micros(self._keeper.clock.now())
        self._end_lease(epoch, {"failed_at": now, "failure": error.message})
        raise error

    def _newer_than(self, token: Token) -> Token:
        stored = self._reload()
        if stored.version == token.version:
            raise RetryLaterError("the lease for renewing the token was lost to another process")
        return stored

    def _end_lease(self, epoch: int, failure: dict[str, Any]) -> None:
        with self._keeper.database.write() as connection:
            credentials.end_lease(connection, self._instance_id, epoch, failure)


def _with_version(token: Token, version: int) -> Token:
    return Token(
        access_token=token.access_token,
        refresh_token=token.refresh_token,
        token_type=token.token_type,
        expires_at=token.expires_at,
        scope=token.scope,
        extra=token.extra,
        version=version,
    )
