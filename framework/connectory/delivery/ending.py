"""Tells a worker that it must not begin another attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from ..clock import Clock


class Ended(Protocol):
    """Once it is set, no attempt is begun. A `threading.Event` is one."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """Is set from a moment on, or as soon as `stop` is set."""

    clock: Clock
    moment: datetime
    stop: Ended

    def is_set(self) -> bool:
        return self.stop.is_set() or self.clock.now() >= self.moment
