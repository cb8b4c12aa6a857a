"""Builds notifications in the envelope of Cloud Elements, as the bytes that are sent on every attempt.

Order is kept per object: the id of an object decides which of eight lanes it belongs to, and a notification holds
events of one lane only.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import from_micros, to_micros
from ..model import EventType
from ..store.lanes import LANES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .changes import Change

MOST_EVENTS = 10

_ACTIONS = {EventType.CREATED: "create", EventType.UPDATED: "update", EventType.DELETED: "delete"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The instance that a notification comes from."""

    instance_id: int
    instance_name: str
    element_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The events of one notification: at most ten, all of one lane."""

    lane: int
    changes: Sequence[Change]


def lane_of(object_id: str) -> int:
    return zlib.crc32(object_id.encode()) % LANES


def batches(changes: Sequence[Change]) -> list[Batch]:
    lanes: dict[int, list[Change]] = {}
    for change in changes:
        lanes.setdefault(lane_of(change.object_id), []).append(change)
    return [
        Batch(lane=lane, changes=held[start : start + MOST_EVENTS])
        for lane, held in lanes.items()
        for start in range(0, len(held), MOST_EVENTS)
    ]


def build(
    origin: Origin, resource: str, notification_id: int, batch: Batch, raws: Sequence[msgspec.Raw], now: datetime
) -> bytes:
    """The body. The records in it are the bytes of `raws`, as the provider wrote them."""
    message = {
        "raw": {
            "objectType": resource,
            resource: [raws[change.row] for change in batch.changes],
            "instance_id": origin.instance_id,
            "eventId": str(notification_id),
        },
        "events": [_event(origin, resource, change, now) for change in batch.changes],
    }
    return wrap(origin, notification_id, now, action=_ACTIONS[batch.changes[0].type], message=message)


def wrap(
    origin: Origin,
    notification_id: int,
    now: datetime,
    *,
    action: str,
    message: Mapping[str, Any],
    severity: str = "medium",
) -> bytes:
    """The envelope of Cloud Elements around a message."""
    number = str(notification_id)
    return _encoder.encode(
        {
            "severity": severity,
            "createdDate": java_date(now),
            "topic": f"instance-{origin.instance_id}-{origin.element_key}-events",
            "action": action,
            "id": number,
            "message": {
                "elementKey": origin.element_key,
                "eventId": number,
                "accountId": 1,
                "companyId": 1,
                "instance_id": origin.instance_id,
                "instanceId": origin.instance_id,
                "instanceName": origin.instance_name,
                "userId": 1,
                **message,
            },
            "user": "connectory",
        }
    )


def _event(origin: Origin, resource: str, change: Change, now: datetime) -> dict[str, Any]:
    return {
        "date": _iso_date(to_micros(now) if change.date is None else change.date),
        "elementKey": origin.element_key,
        "eventType": change.type.value,
        "objectId": change.object_id,
        "objectType": resource,
        "sequence": change.sequence,
        **({} if change.changed is None else {"changed": change.changed}),
        **({} if change.previous is None else {"previous": change.previous}),
    }


@lru_cache(maxsize=4096)
def _iso_date(micros: int) -> str:
    return from_micros(micros).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def java_date(moment: datetime) -> str:
    """The form of Java's `Date.toString()` in UTC, as Cloud Elements sends it: `Tue Sep 22 19:48:03 UTC 2015`."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment.year}"


# strftime would use the language of the process.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_encoder = msgspec.json.Encoder()
