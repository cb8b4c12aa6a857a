"""The one place that every change passes, whoever makes it.

A change has a name (`instances.pause`), an actor (`python`, `cli:ann`, the id of a user), and what it is about. A face
that may not do everything gives `allows`; a refusal changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

PYTHON = "python"
"""The actor of a program that names none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One change. `instance_id` is None where it concerns no instance, or one that does not exist yet."""

    name: str
    actor: str
    instance_id: int | None = None


class Acts:
    """`actor` makes the changes that name no other one; `allows` raises what refuses a change."""

    def __init__(self, actor: str = PYTHON, allows: Callable[[Act], None] = lambda act: None) -> None:
        self._actor = actor
        self._allows = allows
        self._watchers: list[Callable[[Act], None]] = []

    def watch(self, watcher: Callable[[Act], None]) -> None:
        """Call `watcher` with each change that was made."""
        self._watchers.append(watcher)

    @contextlib.contextmanager
    def change(self, name: str, actor: str | None, instance_id: int | None = None) -> Iterator[None]:
        """Around a change: it is refused before, and noted after it was made."""
        act = Act(name=name, actor=actor or self._actor, instance_id=instance_id)
        self._allows(act)
        yield
        log.info("%s by %s%s", act.name, act.actor, "" if instance_id is None else f" on instance {instance_id}")
        for watcher in self._watchers:
            watcher(act)
