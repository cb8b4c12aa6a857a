"""Announces what was deleted, and asks whether it was.

A DELETED event goes the way of the others: one transaction with its notification, its deliveries and what is
remembered of the object, under the claim of the poll. The object's version is marked as that of a deleted one, so that
it is CREATED when it is seen again, and not DELETED twice meanwhile.
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
from ..records.changes import GONE, Change, Finding
from ..records.outbox import Announced, Outbox
from ..store import deletions, events, polls, snapshots

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
class Gone:
    """One deletion. `date` is its moment in microseconds, None where nobody knows; `fields` is what is known of it."""

    object_id: str
    date: int | None
    proof: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Job:
    """One search for deletions, as part of a claimed poll. `exchange` asks the provider as the poll does."""

    database: Database
    clock: Clock
    poll: PollRow
    plan: Plan
    runtime: Runtime
    state: DeletionRow
    exchange: Exchange
    watch: Callable[[Sequence[Announced]], None]
    deleted: int = 0

    @property
    def provider_now(self) -> datetime:
        return self.runtime.provider_now(self.clock.now())

    @property
    def deletes(self) -> Deletes:
        deletes = self.plan.resource.deletes
        assert deletes is not None  # noqa: S101 - the plan was not compiled otherwise
        return deletes

    @property
    def confirms(self) -> bool:
        options = self.plan.entry.track_deletes
        return self.deletes.confirm if options is None or options.confirm is None else options.confirm

    # Asking

    def send(self, request: Request) -> Response:
        return self.exchange(request)[0]

    def is_gone(self, object_id: str, params: Params = ()) -> bool:
        """Whether a GET by id says that there is no such object; an answer that says neither is an error."""
        request = _item_request(self.plan, self.deletes.item_path, object_id, params)
        try:
            _, verdict = self.exchange(request)
        except ProviderError as error:
            if isinstance(error, RetryLaterError) or error.provider_status not in {404, 410}:
                raise
            return True
        if verdict.action is Action.EMPTY:
            raise ProviderError(
                f"the provider does not say whether {object_id} is there: {verdict.reason}", where=request.path
            )
        return False

    # Announcing

    def announce(self, connection: Connection, gone: Sequence[Gone]) -> list[Announced]:
        """Write the events of these deletions; what was announced as deleted before is passed over."""
        ids = {item.object_id for item in gone}
        changes, raws = self._changes(connection, gone, ids)
        deletions.forget_objects(connection, self.poll, ids)
        snapshots.forget(connection, self.poll, ids)
        if not changes:
            return []
        polls.put_seen(connection, [self._seen(change) for change in changes])
        sender, subscriptions = self.runtime.sender, self.runtime.subscriptions
        outbox = Outbox(sender=sender, resource=self.poll.resource, subscriptions=subscriptions)
        return outbox.publish(connection, changes, raws, self.clock.now())

    def tell(self, found: Sequence[Announced]) -> None:
        """After the commit: count them, and tell those who watch."""
        if found:
            self.deleted += len(found)
            self.watch(found)

    def _changes(
        self, connection: Connection, gone: Sequence[Gone], ids: set[str]
    ) -> tuple[list[Change], list[msgspec.Raw]]:
        known = self._known(connection, ids)
        changes: list[Change] = []
        raws: list[msgspec.Raw] = []
        for item in gone:
            sequence, version = known.get(item.object_id, (0, ""))
            if version.startswith(GONE):
                continue
            change = _change(item, len(raws), sequence + 1)
            known[item.object_id] = (change.sequence, change.version)
            changes.append(change)
            raws.append(msgspec.Raw(msgspec.json.encode(_record(self.plan, item))))
        return changes, raws

    def _known(self, connection: Connection, ids: set[str]) -> dict[str, tuple[int, str]]:
        seen = polls.seen_of(connection, self.poll, ids)
        before = events.last_of(connection, self.poll.instance_id, self.poll.resource, ids - seen.keys())
        return {key: (row.sequence, row.version) for key, row in seen.items()} | before

    def _seen(self, change: Change) -> polls.SeenTuple:
        date = to_micros(self.provider_now) if change.date is None else change.date
        return self.poll.instance_id, self.poll.resource, change.object_id, change.version, change.sequence, date


def _change(item: Gone, row: int, sequence: int) -> Change:
    return Change(
        row=row,
        object_id=item.object_id,
        version=f"{GONE}{item.proof}",
        finding=Finding.DELETED,
        reason=item.proof,
        date=item.date,
        sequence=sequence,
    )


def _record(plan: Plan, item: Gone) -> dict[str, Any]:
    """Stands for the deleted record, which cannot be read any more: its id, and what is known of the deletion."""
    path = Path.parse(plan.id_field)
    if not path.steps:
        path = Path(("id",))
    known = {name: value for name, value in item.fields.items() if name != path.head}
    return {path.head: path.rest.put(item.object_id), **known}


def _item_request(plan: Plan, item_path: str, object_id: str, params: Params) -> Request:
    path = plan.resource.path + item_path.replace("{id}", quote(object_id, safe=""))
    return Request(path=path, params=merged(plan.resource.params, params))


def merged(params: Params, more: Params) -> Params:
    """`more` replaces what has the same name."""
    names = {name for name, _ in more}
    return (*(pair for pair in params if pair[0] not in names), *more)
