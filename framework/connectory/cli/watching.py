"""Watches polls and deliveries: prints what happens, and counts it."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from ..app import Observer
from ..clock import from_micros
from .output import OutputError, note, say, say_json
from .tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..app import AnnouncedEvent, Attempted, Summary
    from ..errors import ConnectoryError
    from ..receiver.receiver import Received

_NAMES = {"failed polls": "failedPolls", "failed attempts": "failedAttempts"}

# Progress is shown after each group of this many pages.
_PAGES_SHOWN = 5


class Watcher(Observer):
    """Prints a line per event, or JSON.

    `errors` holds the error of each poll whose latest attempt failed; the error of the latest failure is the last one.

    When the output cannot be written any more, `lost` says why and `on_lost` is called. No event is lost: events and
    deliveries are in the store before they are printed.
    """

    def __init__(self, *, as_json: bool, on_lost: Callable[[], None] = lambda: None) -> None:
        self._as_json = as_json
        self._on_lost = on_lost
        self.lost: OutputError | None = None
        self._lock = threading.Lock()
        self.counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.errors: dict[tuple[int, str], ConnectoryError] = {}
        self._waiting: dict[int, tuple[str, int]] = {}

    def announced(self, found: Sequence[AnnouncedEvent]) -> None:
        with self._lock:
            for event in found:
                self.counts[event.resource][event.type] += 1
                resource, count = self._waiting.get(event.notification_id, (event.resource, 0))
                self._waiting[event.notification_id] = (resource, count + 1)
            with self._printing():
                for event in found:
                    self._print_event(event)

    @contextlib.contextmanager
    def _printing(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self.lost = error
            self._on_lost()

    def _print_event(self, event: AnnouncedEvent) -> None:
        if not self._as_json:
            date = from_micros(event.date).isoformat(timespec="seconds").replace("+00:00", "Z")
            say(f"{date}  {event.resource:<12} {event.type:<8} {event.object_id}  #{event.sequence}")
            return
        say_json(
            {
                "kind": "event",
                "date": from_micros(event.date),
                "instanceId": event.instance_id,
                "instanceName": event.instance_name,
                "objectType": event.resource,
                "eventType": event.type,
                "objectId": event.object_id,
                "sequence": event.sequence,
                "notificationId": event.notification_id,
            }
        )

    def page_read(self, summary: Summary) -> None:
        if summary.pages and summary.pages % _PAGES_SHOWN == 0 and not self._as_json:
            note(f"  reading {summary.resource}: {summary.pages} pages, {summary.records} records so far")

    def polled(self, summary: Summary) -> None:
        key = (summary.instance_id, summary.resource)
        with self._lock:
            # Remove the earlier error first, so that the new one is the last in the order of the dict.
            self.errors.pop(key, None)
            if summary.error is not None:
                self.errors[key] = summary.error
                self.counts[summary.resource]["failed polls"] += 1
            with self._printing():
                self._print_poll(summary)

    def _print_poll(self, summary: Summary) -> None:
        if self._as_json:
            shown = {"kind": "poll", "instanceId": summary.instance_id, "resource": summary.resource}
            span = {"from": from_micros(summary.start), "until": from_micros(summary.end)}
            say_json(shown | summary.as_dict() | span)
            return
        for warning in summary.warnings[:3]:
            note(f"warning: {warning}")

    def attempted(self, attempt: Attempted) -> None:
        with self._lock:
            resource, count = self._waiting.get(attempt.notification_id, ("(announced before this run)", 1))
            if attempt.delivered:
                self._waiting.pop(attempt.notification_id, None)
                self.counts[resource]["delivered"] += count
            else:
                self.counts[resource]["failed attempts"] += 1
            with self._printing():
                self._print_attempt(attempt)

    def _print_attempt(self, attempt: Attempted) -> None:
        if self._as_json:
            say_json(
                {
                    "kind": "delivery",
                    "notificationId": attempt.notification_id,
                    "attempt": attempt.number,
                    "delivered": attempt.delivered,
                    "status": attempt.status,
                    "error": attempt.error,
                    "retryAt": attempt.retry_at,
                }
            )
        elif not attempt.delivered:
            why = attempt.error or f"the answer was {attempt.status}"
            then = (
                f", trying again at {attempt.retry_at:%H:%M:%S}"
                if attempt.retry_at
                else f", and it will not be tried again: {attempt.deactivated}"
            )
            note(f"notification {attempt.notification_id} did not arrive at {attempt.url}: {why}{then}")

    def summary(self, pending: int, checked: Verified | None = None) -> None:
        """Print the table that ends a run. `pending` is how many deliveries have not arrived."""
        rows = [self._row(resource, checked) for resource in sorted(self.counts)]
        if self._as_json:
            resources = [{_NAMES.get(name, name): value for name, value in row.items()} for row in rows]
            say_json({"kind": "summary", "resources": resources, "pendingDeliveries": pending})
            return
        say()
        if rows:
            table(list(rows[0]), [list(row.values()) for row in rows])
        else:
            say("Nothing has changed.")
        if pending:
            say(f"Deliveries that have not arrived yet: {pending}. They are kept; `connect deliveries list` shows why.")

    def _row(self, resource: str, checked: Verified | None) -> dict[str, Any]:
        counts = self.counts[resource]
        row = {
            "resource": resource,
            "created": counts["CREATED"],
            "updated": counts["UPDATED"],
            "deleted": counts["DELETED"],
            "delivered": counts["delivered"],
            "failed polls": counts["failed polls"],
            "failed attempts": counts["failed attempts"],
        }
        return row if checked is None else row | {"verified": checked.events[resource]}

    @property
    def total(self) -> int:
        return sum(counts["CREATED"] + counts["UPDATED"] + counts["DELETED"] for counts in self.counts.values())


class Verified:
    """Counts the events of each resource that the sandbox's receiver verified. Repeated notifications do not count."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.refused: list[str] = []
        self.out_of_order = 0

    def take(self, received: Received) -> None:
        if not received.verified:
            self.refused.append(received.reason)
        elif not received.duplicate:
            self.events.update(str(event.get("objectType")) for event in received.events)
            self.out_of_order += len(received.out_of_order)
