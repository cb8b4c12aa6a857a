"""Everything that decides how a poll goes: its plan, its state, the provider to ask, and what was announced before.

`live_case` takes all of it from the store and from the provider. A replay (`replay`) takes it from a recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..instances.views import poll_of
from .memory import StoreMemory
from .scrubbing import learn_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    import msgspec

    from ..http import Client
    from ..instances.parts import Parts
    from ..model import Request, Response, Verdict, Window
    from ..plans.plan import Plan
    from ..records.changes import Change
    from ..store.polls import PollRow
    from .explanation import KnownNote


class Conversation(Protocol):
    """Asks the provider, or plays its recorded answers."""

    @property
    def seconds(self) -> float:
        """How long the last answer took."""
        ...

    def now(self) -> datetime:
        """The time on this machine, or the time that it was when the answers were recorded."""
        ...

    def exchange(self, request: Request) -> tuple[Response, Verdict]: ...


class Memory(Protocol):
    """What was announced before the poll."""

    def known(self, object_ids: Collection[str]) -> Mapping[str, KnownNote]: ...

    def compare(self, change: Change, raws: Sequence[msgspec.Raw]) -> Change:
        """The same change, or an ignored one if only fields of `ignoreFields` differ."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What an explanation is made from. `window` is set for a backfill only: a poll computes its own window."""

    instance: Mapping[str, Any]
    plan: Plan
    poll: PollRow
    clock_offset: timedelta
    page_size: int
    conversation: Conversation
    memory: Memory
    window: Window | None = None


def live_case(
    parts: Parts, instance_id: int, resource: str, *, now: datetime | None = None, window: Window | None = None
) -> Case:
    """The case of the next poll of a resource. `now` replaces the current time."""
    runtime = parts.runtimes.get(instance_id)
    plan = runtime.plan(resource)
    learn_secrets(runtime.config)
    poll = poll_of(parts.database, instance_id, resource)
    return Case(
        instance={"id": instance_id, "name": runtime.row.name, "element": runtime.element.key},
        plan=plan,
        poll=poll,
        clock_offset=runtime.clock_offset,
        page_size=runtime.page_size(resource),
        conversation=_LiveConversation(client=runtime.client, clock=parts.clock.now if now is None else lambda: now),
        memory=StoreMemory(parts.database, poll, plan),
        window=window,
    )


@dataclass(kw_only=True, slots=True)
class _LiveConversation:
    client: Client
    clock: Callable[[], datetime]
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.clock()

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        started = self.clock()
        try:
            return self.client.exchange(request)
        finally:
            self.seconds = (self.clock() - started).total_seconds()
