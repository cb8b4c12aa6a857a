"""Announces deletions, and asks the provider whether an object still exists.

A DELETED event is written like any other: in one transaction with its notification, its deliveries and what is
remembered of the object, under the claim of the poll. The object's version is marked as deleted. Because of that mark
it is not announced as DELETED twice, and is CREATED when it is seen again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from ..clock import to_micros
from ..errors import ProviderError, RetryLaterError
from ..model import Action, Request
from ..path import Path
from ..records.changes import Change, Meaning
from ..records.known import Known, deleted_version, recall
from ..records.outbox import AnnouncedEvent, Outbox
from ..store import deletions, polls, snapshots
from .lists import merged, way_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..deletes import Deletes
    from ..instances.runtime import Runtime
    from ..model import Params, Response, Verdict
    from ..plans.plan import Plan
    from ..store.database import Database
    from ..store.deletions import DeletionRow
    from ..store.polls import PollRow

    Exchange = Callable[[Request], tuple[Response, Verdict]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """One deletion. `date` is in microseconds, or None if it is unknown. `fields` are those of the log entry."""

    object_id: str
    date: int | None
    proof: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Job:
    """One search for deletions, as part of a claimed poll. `exchange` sends a request as the poll would."""

    database: Database
    clock: Clock
    poll: PollRow
    plan: Plan
    runtime: Runtime
    state: DeletionRow
    exchange: Exchange
    watch: Callable[[Sequence[AnnouncedEvent]], None]
    deleted: int = 0

    @property
    def provider_now(self) -> datetime:
        return self.runtime.provider_now(self.clock.now())

    @property
    def deletes(self) -> Deletes:
        deletes = way_of(self.plan)
        assert deletes is not None  # noqa: S101 - otherwise the plan would not have been compiled
        return deletes

    @property
    def confirms(self) -> bool:
        options = self.plan.entry.track_deletes
        return self.deletes.confirm if options is None or options.confirm is None else options.confirm

    # Asking

    def send(self, request: Request) -> Response:
        return self.exchange(request)[0]

    def is_deleted(self, object_id: str, params: Params = ()) -> bool:
        """Whether a GET by id says that the object does not exist. An answer that leaves this open raises an error."""
        request = _item_request(self.plan, self.deletes.item_path, object_id, params)
        try:
            _, verdict = self.exchange(request)
        except ProviderError as error:
            if isinstance(error, RetryLaterError) or error.provider_status not in {404, 410}:
                raise
            return True
        if verdict.action is Action.EMPTY:
            raise ProviderError(
                f"the provider does not say whether {object_id} exists: {verdict.reason}", where=request.path
            )
        return False

    # Announcing

    def announce(self, connection: Connection, found: Sequence[Deletion]) -> list[AnnouncedEvent]:
        """Write the events of these deletions, except for objects that were announced as deleted before."""
        ids = {item.object_id for item in found}
        changes, raws = self._changes(connection, found, ids)
        deletions.forget_objects(connection, self.poll, ids)
        snapshots.forget(connection, self.poll, ids)
        if not changes:
            return []
        polls.put_seen(connection, [self._seen(change) for change in changes])
        origin, subscriptions = self.runtime.origin, self.runtime.subscriptions
        outbox = Outbox(origin=origin, resource=self.poll.resource, subscriptions=subscriptions)
        return outbox.publish(connection, changes, raws, self.clock.now())

    def tell(self, announced: Sequence[AnnouncedEvent]) -> None:
        """Count the events and tell the observer. Call it after the commit."""
        if announced:
            self.deleted += len(announced)
            self.watch(announced)

    def _changes(
        self, connection: Connection, found: Sequence[Deletion], ids: set[str]
    ) -> tuple[list[Change], list[msgspec.Raw]]:
        known = recall(connection, self.poll, ids)
        changes: list[Change] = []
        raws: list[msgspec.Raw] = []
        for item in found:
            last = known.get(item.object_id)
            if last is not None and last.is_deleted:
                continue
            change = _change(item, len(raws), last)
            known[item.object_id] = Known(change.sequence, change.version)
            changes.append(change)
            raws.append(msgspec.Raw(msgspec.json.encode(_record(self.plan, item))))
        return changes, raws

    def _seen(self, change: Change) -> polls.SeenTuple:
        date = to_micros(self.provider_now) if change.date is None else change.date
        return self.poll.instance_id, self.poll.resource, change.object_id, change.version, change.sequence, date


def _change(item: Deletion, row: int, last: Known | None) -> Change:
    return Change(
        row=row,
        object_id=item.object_id,
        version=deleted_version(item.proof),
        meaning=Meaning.DELETED,
        reason=item.proof,
        date=item.date,
        last=last.sequence if last else 0,
    )


def _record(plan: Plan, item: Deletion) -> dict[str, Any]:
    """What the event shows instead of the deleted record: its id, and what is known of the deletion."""
    path = Path.parse(plan.id_field)
    if not path.steps:
        path = Path(("id",))
    known = {name: value for name, value in item.fields.items() if name != path.head}
    return {path.head: path.rest.put(item.object_id), **known}


def _item_request(plan: Plan, item_path: str, object_id: str, params: Params) -> Request:
    path = plan.resource.path + item_path.replace("{id}", quote(object_id, safe=""))
    return Request(path=path, params=merged(plan.resource.params, params))
