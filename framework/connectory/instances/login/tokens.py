"""Keeps the tokens of instances valid: renewed once however many threads ask, and stored before they are used.

Only one thread of a process (by a lock) and one process of a store (by a lease with an epoch) renews at a time. A new
pair is stored if the version is still the one that was read, even when the lease has run out: a provider that rotates
refresh tokens has ended the old pair by then. A refusal counts only if no other process has renewed in between.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...auth import Token
from ...clock import from_micros, to_micros
from ...errors import AuthenticationError, ConnectoryError, RetryLaterError, StoreError
from ...secrets import Secret, redactor, reveal
from ...store import credentials

if TYPE_CHECKING:
    from sqlalchemy import Row

    from ...clock import Clock
    from ...secrets import KeyRing
    from ...store.database import Database

Refresh = Callable[[Token], Token]

# A token is renewed this long before it expires, or when a tenth of its life is left, whichever is later.
EARLY = timedelta(seconds=60)
# Longer than a request to the token endpoint may take.
RENEWAL_LEASE = timedelta(seconds=60)
# After a failed renewal, wait this long before asking the provider again, or as long as the provider says.
COOL_DOWN = timedelta(seconds=30)
_MOST_QUIET = timedelta(hours=1)
_STEP = timedelta(seconds=0.2)
# How many seconds a thread waits for another one, which may itself be waiting for a lease.
_PATIENCE = 2 * RENEWAL_LEASE.total_seconds()


class TokenKeeper:
    """The tokens of one store. `owner` is this process's name in leases."""

    def __init__(self, database: Database, keyring: KeyRing, clock: Clock, owner: str) -> None:
        self.database = database
        self.clock = clock
        self.owner = owner
        self._keyring = keyring
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._unstored: dict[int, tuple[int, Token]] = {}

    def save(self, instance_id: int, token: Token) -> Token:
        """Store a new login, in place of the one before."""
        with self.database.write() as connection:
            values = self.sealed(instance_id, token)
            version = credentials.put(connection, instance_id, values, account=token.account)
        return replace(token, version=version)

    def load(self, instance_id: int) -> Token | None:
        with self.database.read() as connection:
            row = credentials.get(connection, instance_id)
        return None if row is None else self.opened(instance_id, row)

    def source(self, instance_id: int, refresh: Refresh) -> InstanceTokens:
        """The tokens of one instance; `refresh` asks its provider for a new pair."""
        return InstanceTokens(self, instance_id, refresh, self._locks[instance_id])

    def store_renewed(self, instance_id: int, old: Token, renewed: Token) -> None:
        """Store a renewed pair, unless the row has changed since the old one was read.

        The provider may have ended the old pair, so the new one is kept in memory until it can be stored.
        """
        self._unstored[instance_id] = (old.version, renewed)
        with self.database.write() as connection:
            credentials.replace(connection, instance_id, old.version, self.sealed(instance_id, renewed))
        del self._unstored[instance_id]

    def unstored(self, instance_id: int, old: Token) -> Token | None:
        """The pair that replaces the old one but could not be stored yet."""
        version, renewed = self._unstored.get(instance_id, (None, None))
        return renewed if version == old.version else None

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
            account=row.account,
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
        self._quiet: tuple[datetime, ConnectoryError] | None = None

    def current(self) -> Token:
        token = self._token
        if token is not None and not self._is_old(token):
            return token
        # A token that is merely old is still valid, so nobody needs to wait for the thread that renews it.
        can_wait = token is None or self._has_ended(token)
        if not self._lock.acquire(timeout=_PATIENCE if can_wait else 0):
            return self._overtaken(token)
        try:
            token = self._opened(self._row())
            return self._renew(token, must=False) if self._is_old(token) else token
        finally:
            self._lock.release()

    def renew(self, rejected: str) -> Token:
        if not self._lock.acquire(timeout=_PATIENCE):
            return self._overtaken(None)
        try:
            token = self._opened(self._row())
            # When the stored token is not the rejected one, another thread or process has renewed it already.
            return self._renew(token, must=True) if token.access_token.reveal() == rejected else token
        finally:
            self._lock.release()

    def _overtaken(self, token: Token | None) -> Token:
        if token is None or self._has_ended(token):
            raise RetryLaterError("another thread has been renewing the token for too long")
        return token

    # What the row says

    def _now(self) -> datetime:
        return self._keeper.clock.now()

    def _row(self) -> Row[Any]:
        with self._keeper.database.read() as connection:
            row = credentials.get(connection, self._instance_id)
        if row is None:
            raise AuthenticationError("the instance has no login", hint="log in again")
        return row

    def _opened(self, row: Row[Any]) -> Token:
        """The stored token, which may be newer than the one in memory."""
        if row.expires_at is not None:
            self._life = timedelta(microseconds=max(0, row.expires_at - row.renewed_at))
        token = self._token = self._keeper.opened(self._instance_id, row)
        return token

    def _is_old(self, token: Token) -> bool:
        if not token.access_token:
            return True
        if token.expires_at is None:
            return False
        return self._now() >= token.expires_at - (EARLY if self._life is None else min(EARLY, self._life / 10))

    def _has_ended(self, token: Token) -> bool:
        return not token.access_token or (token.expires_at is not None and self._now() >= token.expires_at)

    # Renewal

    def _renew(self, token: Token, *, must: bool) -> Token:
        """Get a new pair, or wait for the process that gets it. `must` means that the present token was refused."""
        fallback = None if must or self._has_ended(token) else token
        if token.refresh_token is None:
            if fallback is not None:
                return fallback
            raise AuthenticationError("the access token has expired and there is no refresh token", hint="log in again")
        if self._quiet is not None and self._now() < self._quiet[0]:
            return _or_raise(fallback, self._quiet[1])
        deadline = self._now() + RENEWAL_LEASE + _STEP
        while self._now() <= deadline:
            epoch = self._take_lease(token)
            if epoch is not None:
                return self._ask(token, epoch, fallback)
            newest = self._opened(self._row())
            if newest.version != token.version or fallback is not None:
                return newest
            self._keeper.clock.wait(threading.Event(), _STEP.total_seconds())
        raise RetryLaterError("another process has been renewing the token for too long")

    def _take_lease(self, token: Token) -> int | None:
        """The epoch of the lease; None when another process is renewing the token, or has renewed it."""
        row, now = self._row(), self._now()
        if row.version != token.version:
            return None
        if row.failed_at is not None and now < from_micros(row.failed_at) + COOL_DOWN:
            raise AuthenticationError(row.failure, hint="a person must log in again")
        if row.lease_until is not None and row.lease_until >= to_micros(now):
            return None
        with self._keeper.database.write() as connection:
            return credentials.take_lease(
                connection,
                self._instance_id,
                version=token.version,
                owner=self._keeper.owner,
                now=to_micros(now),
                until=to_micros(now + RENEWAL_LEASE),
            )

    def _ask(self, token: Token, epoch: int, fallback: Token | None) -> Token:
        try:
            renewed = self._keeper.unstored(self._instance_id, token) or self._refresh(token)
        except AuthenticationError as error:
            return self._refused(token, epoch, error)
        except ConnectoryError as error:
            self._end_lease(epoch)
            self._quiet = (self._now() + _quiet_for(error), error)
            # The renewal was early, so the present token can still be used.
            return _or_raise(fallback, error)
        except BaseException:
            self._end_lease(epoch)
            raise
        self._quiet = None
        try:
            self._keeper.store_renewed(self._instance_id, token, renewed)
        except StoreError:
            with contextlib.suppress(StoreError):
                self._end_lease(epoch)
            raise
        # If another process renewed first, its token is the stored one: use that.
        return self._opened(self._row())

    def _refused(self, token: Token, epoch: int, error: AuthenticationError) -> Token:
        """Raise a refusal, unless another process has stored a newer pair."""
        with self._keeper.database.write() as connection:
            is_dead = credentials.fail(
                connection,
                self._instance_id,
                version=token.version,
                epoch=epoch,
                failed_at=to_micros(self._now()),
                failure=error.message,
            )
        newest = self._opened(self._row())
        if is_dead or newest.version == token.version:
            raise error
        return newest

    def _end_lease(self, epoch: int) -> None:
        with self._keeper.database.write() as connection:
            credentials.end_lease(connection, self._instance_id, epoch)


def _or_raise(token: Token | None, error: ConnectoryError) -> Token:
    if token is None:
        raise error.with_traceback(None)
    return token


def _quiet_for(error: ConnectoryError) -> timedelta:
    asked = error.retry_after if isinstance(error, RetryLaterError) and error.retry_after else 0.0
    return max(COOL_DOWN, min(timedelta(seconds=min(asked, 1e6)), _MOST_QUIET))
