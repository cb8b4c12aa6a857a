"""Polls and delivers in two threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..delivery.attempted import Attempted
from ..delivery.worker import DeliveryWorker
from ..records.summary import Observer as PollObserver
from ..records.summary import Summary
from .polls import scheduler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from ..delivery.ending import Ended
    from ..instances.login.keepalive import KeepAlive
    from ..instances.parts import Parts
    from ..records.outbox import AnnouncedEvent

__all__ = ["Attempted", "Observer", "Running", "Summary"]


class Observer(PollObserver):
    """Is told what a running application does. Override the methods you need; they are called in worker threads.

    `announced` gets new events. `page_read` gets the summary of a running poll after each page. `polled` gets the
    summary of a poll that has ended; its `failure` is None if the poll went well. `attempted` gets each attempt to
    deliver. The work waits until these methods return.
    """

    def attempted(self, attempt: Attempted) -> None: ...


class Running:
    """The threads of `App.running`. Events are delivered as soon as they are announced.

    `ended` is set if a thread has failed, and `check` raises its error.
    """

    def __init__(
        self,
        parts: Parts,
        keep_alive: KeepAlive,
        observer: Observer,
        instance_ids: Collection[int] | None,
        ended: threading.Event | None = None,
    ) -> None:
        self.ended = ended or threading.Event()
        self._clock = parts.clock
        self._error: BaseException | None = None
        self._halt, self._drained = threading.Event(), threading.Event()
        self._worker = worker_of(parts, observer, instance_ids)
        self._scheduler = scheduler_of(
            parts,
            _Waking(observer, self._worker.wake),
            instance_ids,
            keep_alive,
        )
        self._polling = threading.Thread(name="polling", target=self._run, args=(self._scheduler.run, self._halt))
        self._delivering = threading.Thread(name="delivering", target=self._run, args=(self._worker.run, self._drained))

    def __enter__(self) -> Self:
        self._polling.start()
        self._delivering.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End polling first, so that the events of the last polls can still be delivered."""
        self._halt.set()
        self._scheduler.wake()
        self._polling.join()
        self._drained.set()
        self._worker.wake()
        self._delivering.join()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise the error that ended a thread, if there was one."""
        if self._error is not None:
            raise self._error

    def _run(self, run: Callable[[threading.Event], None], until: threading.Event) -> None:
        try:
            run(until)
        except BaseException as error:  # noqa: BLE001 - `check` raises it again
            self._error = error
            self.ended.set()


class _Waking(PollObserver):
    """Passes everything on to the observer, and wakes the delivery when there are new events."""

    def __init__(self, observer: PollObserver, wake: Callable[[], None]) -> None:
        self._observer = observer
        self._wake = wake

    def announced(self, found: Sequence[AnnouncedEvent]) -> None:
        self._observer.announced(found)
        self._wake()

    def page_read(self, summary: Summary) -> None:
        self._observer.page_read(summary)

    def polled(self, summary: Summary) -> None:
        self._observer.polled(summary)


def worker_of(parts: Parts, observer: Observer, instance_ids: Collection[int] | None) -> DeliveryWorker:
    """A worker that delivers for all instances or for some, and tells plugins and the observer of each attempt."""

    def tell(made: Attempted) -> None:
        _tell_plugins(parts, made)
        observer.attempted(made)

    return DeliveryWorker(
        parts.database,
        parts.clock,
        parts.owner,
        parts.signature_keys,
        on_attempt=tell,
        workers=parts.settings.delivery_workers,
        instance_ids=instance_ids,
    )


def drain(parts: Parts, observer: Observer, instance_ids: Collection[int] | None, until: datetime, stop: Ended) -> bool:
    """Deliver what waits, and retries that become due by `until`. Returns whether everything was delivered."""
    return worker_of(parts, observer, instance_ids).drain(until, stop)


def _tell_plugins(parts: Parts, made: Attempted) -> None:
    notification = {"id": made.notification_id, "instanceId": made.instance_id}
    attempt = {
        "delivered": made.delivered,
        "status": made.status,
        "error": made.error,
        "number": made.number,
        "duration": made.duration.total_seconds(),
        "retryAt": made.retry_at,
    }
    parts.plugins.delivery_finished(parts.runtimes.get(made.instance_id).element, notification, attempt)
