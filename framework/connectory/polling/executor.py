"""Runs claimed polls somewhere: in threads here, elsewhere in workers of a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..store.polls import PollRow

Job = Callable[["Sequence[PollRow]"], None]


class Executor(Protocol):
    def free(self) -> int:
        """How many more groups can be taken now."""
        ...

    def submit(self, group: Sequence[PollRow]) -> None:
        """Run the polls of one instance, one after another."""
        ...

    def close(self) -> None:
        """Wait for what is running."""
        ...


class ThreadExecutor:
    """`done` is called after each group, from the worker's thread."""

    def __init__(self, run: Job, workers: int, done: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="poll")
        self._run = run
        self._workers = workers
        self._done = done
        self._running = 0
        self._lock = threading.Lock()

    def free(self) -> int:
        with self._lock:
            return self._workers - self._running

    def submit(self, group: Sequence[PollRow]) -> None:
        with self._lock:
            self._running += 1
        self._pool.submit(self._run, group).add_done_callback(self._ended)

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _ended(self, _future: Future[None]) -> None:
        with self._lock:
            self._running -= 1
        self._done()
