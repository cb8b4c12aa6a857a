"""Tells observers and the log about an attempt."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..clock import from_micros
from ..store.lanes import DELIVERED

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ..store.deliveries import Result
    from ..store.lanes import Lane
    from .outages import Outages

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempted:
    """An attempt that is recorded in the store. `number` counts the attempts of this delivery from 1."""

    delivery_id: int
    notification_id: int
    instance_id: int
    subscription_id: int
    url: str
    number: int
    started_at: datetime
    duration: timedelta
    delivered: bool
    status: int | None
    error: str | None
    retry_at: datetime | None
    deactivated: str | None


class Reporter:
    """Logs an attempt and tells the observer of it. An observer that fails does not stop the deliveries."""

    def __init__(self, outages: Outages, on_attempt: Callable[[Attempted], None] | None) -> None:
        self._outages = outages
        self._on_attempt = on_attempt

    def report(self, lane: Lane, result: Result) -> None:
        self._log(lane, result)
        if self._on_attempt is None:
            return
        try:
            self._on_attempt(_attempted(lane, result))
        except Exception:
            if self._outages.begins("observer"):
                log.exception("the observer of deliveries failed; deliveries go on")

    def _log(self, lane: Lane, result: Result) -> None:
        # Log the host only: the path and the password in a callback URL may be secret.
        host, receiver = urlsplit(lane.url).hostname, ("receiver", lane.subscription_id)
        if result.becomes == DELIVERED:
            if self._outages.ends(receiver):
                log.info("instance %s: %s accepts notifications again", lane.instance_id, host)
        elif self._outages.begins(receiver):
            why = result.error or f"it answered {result.status}"
            log.warning("instance %s: %s does not accept notifications: %s", lane.instance_id, host, why)
        if result.deactivate is not None:
            log.error("instance %s: deliveries to %s are deactivated: %s", lane.instance_id, host, result.deactivate)


def _attempted(lane: Lane, result: Result) -> Attempted:
    return Attempted(
        delivery_id=result.delivery.id,
        notification_id=result.delivery.notification_id,
        instance_id=lane.instance_id,
        subscription_id=lane.subscription_id,
        url=lane.url,
        number=result.delivery.attempts + 1,
        started_at=from_micros(result.started_at),
        duration=timedelta(milliseconds=result.duration),
        delivered=result.becomes == DELIVERED,
        status=result.status,
        error=result.error,
        retry_at=None if result.due_at is None else from_micros(result.due_at),
        deactivated=result.deactivate,
    )
