"""Builds the notifications of a page: the platform's envelope, as the bytes that go over the wire on every attempt.

Order is kept per object: an object belongs to one of eight lanes by its id, and a notification to one lane.
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
class Sender:
    """The instance that a notification speaks of."""

    instance_id: int
    instance_name: str
    element_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The events of one notification, all of one lane, at most ten."""

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
    sender: Sender, resource: str, notification_id: int, batch: Batch, raws: Sequence[msgspec.Raw], now: datetime
) -> bytes:
    """The body; `raws` are the page's records, whose bytes are spliced in as the provider wrote them."""
    message = {
        "raw": {
            "objectType": resource,
            resource: [raws[change.row] for change in batch.changes],
            "instance_id": sender.instance_id,
            "eventId": str(notification_id),
        },
        "events": [_event(sender, resource, change, now) for change in batch.changes],
    }
    return wrap(sender, notification_id, now, action=_ACTIONS[batch.changes[0].type], message=message)


def wrap(
    sender: Sender,
    notification_id: int,
    now: datetime,
    *,
    action: str,
    message: Mapping[str, Any],
    severity: str = "medium",
) -> bytes:
    """The platform's envelope around a message."""
    number = str(notification_id)
    return _encoder.encode(
        {
            "severity": severity,
            "createdDate": java_date(now),
            "topic": f"instance-{sender.instance_id}-{sender.element_key}-events",
            "action": action,
            "id": number,
            "message": {
                "elementKey": sender.element_key,
                "eventId": number,
                "accountId": 1,
                "companyId": 1,
                "instance_id": sender.instance_id,
                "instanceId": sender.instance_id,
                "instanceName": sender.instance_name,
                "userId": 1,
                **message,
            },
            "user": "connectory",
        }
    )


def _event(sender: Sender, resource: str, change: Change, now: datetime) -> dict[str, Any]:
    return {
        "date": _iso_date(to_micros(now) if change.date is None else change.date),
        "elementKey": sender.element_key,
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
    """`Date.toString()` of Java in UTC, which is what the platform sends: `Tue Sep 22 19:48:03 UTC 2015`."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment.year}"


# strftime would use the names of the process's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_encoder = msgspec.json.Encoder()
