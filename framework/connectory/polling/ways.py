"""How a recording or a backfill reads a window, where that differs from an ordinary poll."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from ..instances.runtime import Runtime
    from ..records.changes import Change
    from ..records.fetch import Exchanger
    from ..records.window import Bounds
    from ..store.polls import PollRow
    from .reading import Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """The defaults are those of an ordinary poll.

    `exchanger` is asked instead of the instance's client. `classified` is shown the changes of each page. Changes that
    `takes` refuses are left to a later poll. `finish` ends the claim instead of moving the cursor.
    """

    exchanger: Exchanger | None = None
    classified: Callable[[Sequence[Change]], None] = lambda changes: None
    takes: Callable[[Change, Bounds], bool] = lambda change, bounds: True
    finish: Callable[[Connection, Reading], None] | None = None


Around = Callable[["PollRow", "Runtime"], AbstractContextManager[Ways]]


@contextlib.contextmanager
def plainly(_poll: PollRow, _runtime: Runtime) -> Iterator[Ways]:
    """Read a window as an ordinary poll does."""
    yield Ways()
