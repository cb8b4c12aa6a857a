"""The threads of a worker: each delivers one lane at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ..store.lanes import Lane


class Crew:
    """Calls `deliver` for each lane in a thread of its own, and then `ended`, from the same thread.

    `deliver` returns how many attempts it made; `made` is their sum.
    """

    def __init__(self, deliver: Callable[[Lane], int], workers: int, ended: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="deliver")
        self._deliver = deliver
        self._workers = workers
        self._ended = ended
        self._running: set[Lane] = set()
        self._lock = threading.Lock()
        self.made = 0

    @property
    def running(self) -> int:
        with self._lock:
            return len(self._running)

    @property
    def free(self) -> int:
        return self._workers - self.running

    def running_of(self, subscription_ids: Collection[int]) -> int:
        with self._lock:
            return sum(lane.subscription_id in subscription_ids for lane in self._running)

    def start(self, lane: Lane) -> None:
        with self._lock:
            self._running.add(lane)
        self._pool.submit(self._run, lane)

    def close(self) -> None:
        """Wait until every lane that was started has ended."""
        self._pool.shutdown(wait=True)

    def _run(self, lane: Lane) -> None:
        made = 0
        try:
            made = self._deliver(lane)
        finally:
            with self._lock:
                self.made += made
                self._running.remove(lane)
            self._ended()
