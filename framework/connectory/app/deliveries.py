"""`app.deliveries`: which notifications were sent where, and with what result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import hints
from ..clock import from_micros, to_micros
from ..errors import ConfigurationError, NotFoundError
from ..store import deliveries, subscriptions
from ..store.lanes import CREATED, DELIVERED, QUEUED, RETRY
from .running import Observer, worker_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ..instances.parts import Parts
    from .acts import Acts
    from .instances import Instances

STATUSES = (CREATED, RETRY, QUEUED, DELIVERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt to deliver. `duration` is in milliseconds. `response` is the beginning of the answer's body."""

    id: int
    delivery_id: int
    number: int
    started_at: datetime
    duration: int
    status: int | None
    error: str | None
    response: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One notification to one subscription. `attempts` is how many were made, and `due_at` when the next one is due.

    `due_at` is None if no attempt will follow. Only `get` fills in `body` (the notification) and `made` (its attempts).
    """

    id: int
    notification_id: int
    subscription_id: int
    instance_id: int
    instance_name: str
    resource: str
    lane: int
    status: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    first_attempt_at: datetime | None
    delivered_at: datetime | None
    url: str
    body: bytes | None = None
    made: tuple[Attempt, ...] = ()


class Deliveries:
    """The deliveries of a store. An instance is given by its id or its name."""

    def __init__(self, parts: Parts, acts: Acts, instances: Instances) -> None:
        self._parts = parts
        self._acts = acts
        self._instances = instances

    def run_due(self, *, instances: Iterable[int | str] | None = None, observer: Observer | None = None) -> int:
        """Try once each delivery that is due now, and return how many attempts were made."""
        return worker_of(self._parts, observer or Observer(), self._instances.ids_of(instances)).run_once()

    def find(self, *, instance: int | str | None = None, status: str | None = None, limit: int = 50) -> list[Delivery]:
        """The newest deliveries, newest first.

        `status` is `created`, `retry` (an attempt failed, and another one follows), `queued` (held back, because the
        receiver is deactivated) or `delivered`.
        """
        if status is not None and status not in STATUSES:
            raise ConfigurationError(
                f"{status!r} is not a delivery status", where="status", hint=f"use one of {', '.join(STATUSES)}"
            )
        instance_id = None if instance is None else self._instances.id_of(instance)
        with self._parts.database.read() as connection:
            found = deliveries.find(connection, instance_id=instance_id, status=status, limit=limit)
        return [_delivery(row) for row in found]

    def get(self, delivery_id: int) -> Delivery:
        """One delivery with the body of its notification and all its attempts."""
        with self._parts.database.read() as connection:
            row = deliveries.get(connection, delivery_id)
            if row is None:
                raise NotFoundError(f"there is no delivery {delivery_id}", hint=hints.LIST_DELIVERIES)
            made = tuple(_attempt(attempt) for attempt in deliveries.attempts_of(connection, delivery_id))
        return _delivery(row, body=bytes(row["body"]), made=made)

    def pending(self, instances: Iterable[int | str] | None = None) -> int:
        """How many deliveries have not arrived, including those that are held back."""
        with self._parts.database.read() as connection:
            return deliveries.pending_count(connection, self._instances.ids_of(instances))

    def resume(self, instance: int | str, *, actor: str | None = None) -> int:
        """Reactivate the deactivated receivers of an instance, and return how many receivers were reactivated.

        The notifications that were held back become due at once. `App.run`, `App.drain` and `run_due` send them, in the
        order in which they were made.
        """
        instance_id = self._instances.id_of(instance)
        now = to_micros(self._parts.clock.now())
        with (
            self._acts.change("deliveries.resume", actor, instance_id),
            self._parts.database.write() as connection,
        ):
            held = subscriptions.find(connection, instance_id)
            stopped = [one["id"] for one in held if one["state"] != subscriptions.ACTIVE]
            for subscription_id in stopped:
                subscriptions.reactivate(connection, subscription_id, now)
        return len(stopped)


def _delivery(row: Mapping[str, Any], body: bytes | None = None, made: tuple[Attempt, ...] = ()) -> Delivery:
    return Delivery(
        id=row["id"],
        notification_id=row["notification_id"],
        subscription_id=row["subscription_id"],
        instance_id=row["instance_id"],
        instance_name=row["instance_name"],
        resource=row["resource"],
        lane=row["lane"],
        status=row["status"],
        attempts=row["attempts"],
        due_at=_moment(row["due_at"]),
        created_at=from_micros(row["created_at"]),
        first_attempt_at=_moment(row["first_attempt_at"]),
        delivered_at=_moment(row["delivered_at"]),
        url=row["url"],
        body=body,
        made=made,
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _attempt(row: Mapping[str, Any]) -> Attempt:
    response = row["response"]
    return Attempt(
        id=row["id"],
        delivery_id=row["delivery_id"],
        number=row["number"],
        started_at=from_micros(row["started_at"]),
        duration=row["duration"],
        status=row["status"],
        error=row["error"],
        response=None if response is None else bytes(response),
    )
