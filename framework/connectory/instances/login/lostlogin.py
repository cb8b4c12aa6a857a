"""What happens when the provider refuses a login for good: polling pauses, and the user's application is told once.

That notice is a notification like all others, with the same envelope, signature and retries.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ... import hints
from ...clock import to_micros
from ...records.envelope import Origin, lane_of, wrap
from ...schemas import CALLBACK_URL
from ...secrets import redactor
from ...store import deliveries, events, instances, subscriptions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from ...errors import AuthenticationError
    from ...store.instances import InstanceRow

log = logging.getLogger(__name__)

TYPE = "authentication.failed"


def lose(
    connection: Connection, instance_id: int, version: int | None, error: AuthenticationError, now: datetime
) -> bool:
    """Stop polling an instance until a person logs in again, and announce that. False when nothing was changed.

    `version` is the version of the instance that the refused login belongs to. If the instance has changed since, it
    may have a new login, and the refusal is ignored. If `version` is None, the instance is stopped anyway.
    """
    reason = redactor.scrub(error.message)
    if not instances.lose_login(connection, instance_id, version, to_micros(now), reason):
        return False
    log.warning("instance %s needs a new login: %s (%s)", instance_id, reason, repair_of(instance_id))
    row = instances.get(connection, instance_id)
    if row is not None:
        _announce(connection, row, reason, now)
    return True


def repair_of(instance_id: int) -> str:
    return hints.log_in(instance_id)


def _announce(connection: Connection, row: InstanceRow, reason: str, now: datetime) -> None:
    subscription_ids = subscriptions.ids_of(connection, row.id) if row.configuration.get(CALLBACK_URL) else []
    number = events.allocate(connection, "notifications", 1)
    moment = to_micros(now)
    events.add_notifications(connection, [(number, row.id, "", _body(row, number, reason, now), moment)])
    for subscription_id in subscription_ids:
        deliveries.add(connection, subscription_id, [(number, lane_of(""))], moment)


def _body(row: InstanceRow, number: int, reason: str, now: datetime) -> bytes:
    origin = Origin(instance_id=row.id, instance_name=row.name, element_key=row.element_key)
    message = {
        "type": TYPE,
        "reason": reason,
        "repair": repair_of(row.id),
        "text": f"{row.name} cannot be polled any more: {reason}. To log in again: {repair_of(row.id)}",
        "raw": {"instance_id": row.id, "eventId": str(number)},
        "events": [],
    }
    return wrap(origin, number, now, action=TYPE, severity="high", message=message)
