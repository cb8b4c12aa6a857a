"""The one place that every change passes.

A change has a name (`instances.pause`), an actor (`python`, `cli:ann`, the id of a user) and usually an instance. To
restrict what users may do, pass `allows` to `connectory.open`. To keep a log of changes, call `app.acts.watch`.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

PYTHON = "python"
"""The actor if a program does not name one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One change. `instance_id` is None before a new instance has its id."""

    name: str
    actor: str
    instance_id: int | None = None


class Acts:
    """Every change of an application. `actor` is the actor of a change whose caller does not name one.

    `allows` is called before each change and refuses it by raising an error, which reaches the caller unchanged.
    """

    def __init__(self, actor: str = PYTHON, allows: Callable[[Act], None] | None = None) -> None:
        self._actor = actor
        self._allows = allows
        self._watchers: list[Callable[[Act], None]] = []

    def watch(self, watcher: Callable[[Act], None]) -> None:
        """Call `watcher` after each change that was made, in the thread that made it."""
        self._watchers.append(watcher)

    @contextlib.contextmanager
    def change(self, name: str, actor: str | None, instance_id: int | None = None) -> Iterator[Change]:
        """Surround a change: ask `allows` before it, and tell the watchers after it, unless it failed."""
        change = Change(Act(name=name, actor=actor or self._actor, instance_id=instance_id))
        if self._allows is not None:
            self._allows(change.act)
        yield change
        act = change.act
        log.info(
            "%s by %s%s", act.name, act.actor, "" if act.instance_id is None else f" on instance {act.instance_id}"
        )
        for watcher in self._watchers:
            watcher(act)


class Change:
    """A change that is being made."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def made(self, instance_id: int) -> None:
        """Note the id of the instance that the change has made."""
        self.act = replace(self.act, instance_id=instance_id)
