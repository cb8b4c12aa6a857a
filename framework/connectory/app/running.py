"""Polls and delivers in two threads, from `with` to its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..delivery.worker import Attempted, DeliveryWorker
from ..records.summary import Observer as PollObserver
from ..records.summary import Summary
from .polls import scheduler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from ..delivery.worker import Ended
    from ..instances.keepalive import KeepAlive
    from ..instances.parts import Parts
    from ..records.outbox import Announced

__all__ = ["Attempted", "Observer", "Running", "Summary"]


class Observer(PollObserver):
    """Watches a running application; each method may be left out. They are called from worker threads."""

    def attempted(self, attempt: Attempted) -> None: ...


class Running:
    """What `App.running` gives: the threads that poll and deliver. What ends one of them ends the other as well.

    `ended` is set when a thread has failed; `check` raises why. Events that are announced are delivered at once.
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
        self._polling = threading.Thread(target=self._run, args=(self._scheduler.run, self._halt))
        self._delivering = threading.Thread(target=self._run, args=(self._worker.run, self._drained))

    def __enter__(self) -> Self:
        self._polling.start()
        self._delivering.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs, polling first, so that what it found can still be delivered."""
        self._halt.set()
        self._scheduler.wake()
        self._polling.join()
        self._drained.set()
        self._worker.wake()
        self._delivering.join()
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise what has ended a thread."""
        if self._error is not None:
            raise self._error

    def _run(self, run: Callable[[threading.Event], None], until: threading.Event) -> None:
        try:
            run(until)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that runs the application
            self._error = error
            self.ended.set()


class _Waking(PollObserver):
    """Tells the delivery what was announced, and the observer everything."""

    def __init__(self, observer: PollObserver, wake: Callable[[], None]) -> None:
        self._observer = observer
        self._wake = wake

    def announced(self, found: Sequence[Announced]) -> None:
        self._observer.announced(found)
        self._wake()

    def page_read(self, summary: Summary) -> None:
        self._observer.page_read(summary)

    def polled(self, summary: Summary) -> None:
        self._observer.polled(summary)


def worker_of(parts: Parts, observer: Observer, instance_ids: Collection[int] | None) -> DeliveryWorker:
    """What delivers a store's notifications, or those of the given instances only; plugins hear of each attempt."""

    def tell(made: Attempted) -> None:
        observer.attempted(made)
        _tell_plugins(parts, made)

    return DeliveryWorker(
        parts.database,
        parts.clock,
        parts.owner.name,
        parts.signature_keys,
        on_attempt=tell,
        workers=parts.settings.delivery_workers,
        instance_ids=instance_ids,
    )


def drain(parts: Parts, observer: Observer, instance_ids: Collection[int] | None, until: datetime, stop: Ended) -> bool:
    """Deliver what waits, retries as they become due, until a moment; whether nothing waits any more."""
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
