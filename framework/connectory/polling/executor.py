"""Runs claimed polls in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..store.polls import PollRow

Group = Sequence["PollRow"]
"""The polls of one instance, which are run one after another."""


class Executor:
    """`done` is called after each group, from the worker's thread."""

    def __init__(self, run: Callable[[Group], None], workers: int, done: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="poll")
        self._run = run
        self._workers = workers
        self._done = done
        self._running = 0
        self._lock = threading.Lock()

    def free(self) -> int:
        """How many more groups can start now."""
        with self._lock:
            return self._workers - self._running

    def submit(self, group: Group) -> None:
        with self._lock:
            self._running += 1
        self._pool.submit(self._run, group).add_done_callback(self._ended)

    def close(self) -> None:
        """Wait until all groups have ended."""
        self._pool.shutdown(wait=True)

    def _ended(self, _future: Future[None]) -> None:
        with self._lock:
            self._running -= 1
        self._done()
