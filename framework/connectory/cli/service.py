"""Runs the engine with its delivery until it is to stop."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType, TracebackType
    from typing import Self

    from ..delivery.worker import Attempted
    from ..engine.engine import Engine
    from ..engine.poller import Observer


class Stop:
    """Set by Ctrl-C and SIGTERM from `with` to its end; a second Ctrl-C ends the process at once."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is time to stop; waits for that at most so long."""
        return self.event.wait(seconds)

    def set(self) -> None:
        self.event.set()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.event.is_set() and number == signal.SIGINT:
            os._exit(130)
        self.event.set()


class Service:
    """Polls and delivers in two threads; what ends one of them ends the other, and is raised by `stop`."""

    def __init__(
        self,
        engine: Engine,
        observer: Observer,
        on_attempt: Callable[[Attempted], None],
        instance_ids: Collection[int] | None,
        stop: Stop,
    ) -> None:
        from ..delivery.worker import DeliveryWorker

        self._engine = engine
        self._stop = stop
        self._halt = threading.Event()
        self._error: BaseException | None = None
        self.scheduler = engine.scheduler(observer, instance_ids)
        self.worker = DeliveryWorker(
            engine.database,
            engine.clock,
            engine.owner.name,
            engine.signature_keys,
            on_attempt=self._telling_plugins(on_attempt),
            workers=engine.settings.delivery_workers,
            instance_ids=instance_ids,
        )
        self._polling = threading.Thread(target=self._run, args=(self.scheduler.run, self._halt))
        self._drained = threading.Event()
        self._delivering = threading.Thread(target=self._run, args=(self.worker.run, self._drained))

    def _telling_plugins(self, on_attempt: Callable[[Attempted], None]) -> Callable[[Attempted], None]:
        def tell(made: Attempted) -> None:
            on_attempt(made)
            notification = {"id": made.notification_id, "instanceId": made.instance_id}
            attempt = {
                "delivered": made.delivered,
                "status": made.status,
                "error": made.error,
                "number": made.number,
                "duration": made.duration.total_seconds(),
                "retryAt": made.retry_at,
            }
            element = self._engine.runtimes.get(made.instance_id).element
            self._engine.plugins.delivery_finished(element, notification, attempt)

        return tell

    def start(self) -> None:
        self._polling.start()
        self._delivering.start()

    def stop(self) -> None:
        """End what runs, polling first, so that what it found can still be delivered."""
        self._halt.set()
        self.scheduler.wake()
        self._polling.join()
        self._drained.set()
        self.worker.wake()
        self._delivering.join()

    def check(self) -> None:
        """Raise what ended a thread."""
        if self._error is not None:
            raise self._error

    def _run(self, run: Callable[[threading.Event], None], until: threading.Event) -> None:
        try:
            run(until)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
            self._error = error
            self._stop.set()
