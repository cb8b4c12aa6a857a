"""`Around` makes the context manager in which a window is read; it yields the `Ways` of reading that window.

An ordinary poll uses `plainly`, which yields the default `Ways`. A recording uses its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from .reading import Ways

if TYPE_CHECKING:
    from ..instances.runtime import Runtime
    from ..store.polls import PollRow

Around = Callable[["PollRow", "Runtime"], AbstractContextManager[Ways]]


@contextlib.contextmanager
def plainly(_poll: PollRow, _runtime: Runtime) -> Iterator[Ways]:
    """Read a window as an ordinary poll does."""
    yield Ways()
