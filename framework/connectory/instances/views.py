"""Shows instances and their polls: as plain results, with datetimes and masked secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..clock import from_micros
from ..errors import NotFoundError
from ..schemas import CALLBACK_URL, NOTIFICATIONS_ENABLED, configuration_schema
from ..secrets import MASK
from ..store import deletions, instances, polls, subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from ..model import Element
    from ..store.database import Database
    from ..store.deletions import DeletionRow
    from ..store.instances import InstanceRow
    from ..store.polls import PollRow
    from .parts import Parts


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementReference:
    """The element that an instance belongs to."""

    id: int | None
    key: str
    name: str
    hub: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Where notifications go. `state` is `active` or `deactivated`; `reason` says why it was deactivated."""

    url: str
    state: str
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeletionSearch:
    """The state of the search for deletions of one resource. `alarm` says why missing objects are not announced."""

    searched_until: datetime | None
    last_search: datetime | None
    next_search: datetime | None
    failures: int
    failure: str | None
    alarm: str | None
    mass_delete_allowed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PollState:
    """The state of the poll of one resource. Everything up to `since` was announced.

    `summary` has the counts of the last poll that succeeded, and `quiet_polls` is how many polls in a row have
    announced nothing. `waiting_until` is when the next attempt is made, if the last poll failed.
    """

    resource: str
    active: bool
    interval_seconds: float
    quiet_polls: int
    since: datetime
    last_poll: datetime | None
    next_poll: datetime | None
    failures: int
    failure: str | None
    waiting_until: datetime | None
    running: bool
    summary: Mapping[str, Any] | None
    deletions: DeletionSearch | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """An instance as the API of Cloud Elements shows it, and its state. Secrets in `configuration` are eight asterisks.

    `state` is `active`, `paused` or `needs_reauth`; `state_reason` says why a new login is needed.
    """

    id: int
    name: str
    created_date: datetime
    element: ElementReference
    tags: tuple[str, ...]
    valid: bool
    disabled: bool
    configuration: Mapping[str, str | None]
    events_enabled: bool
    external_authentication: str
    state: str
    state_reason: str | None
    subscriptions: tuple[Subscription, ...]
    polls: tuple[PollState, ...]

    @property
    def callback_url(self) -> str | None:
        return self.configuration.get(CALLBACK_URL)


def instance_view(parts: Parts, row: InstanceRow) -> Instance:
    element = _element(parts, row.element_key)
    with parts.database.read() as connection:
        hidden = parts.vault.names(connection, row.id)
        subscriptions = _subscriptions(connection, row.id)
        states = _polls(connection, row.id)
    configuration = _configuration(element, row, hidden)
    return Instance(
        id=row.id,
        name=row.name,
        created_date=from_micros(row.created_at),
        element=_reference(row.element_key, element),
        tags=tuple(row.tags),
        valid=row.state != instances.NEEDS_REAUTH,
        disabled=row.state == instances.PAUSED,
        configuration=configuration,
        events_enabled=str(configuration.get(NOTIFICATIONS_ENABLED)).lower() == "true",
        external_authentication=row.external_authentication,
        state=row.state,
        state_reason=row.state_reason,
        subscriptions=subscriptions,
        polls=states,
    )


def poll_of(database: Database, instance_id: int, resource: str) -> PollRow:
    """One stored poll; `NotFoundError` when the instance does not poll that resource."""
    with database.read() as connection:
        found = {poll.resource: poll for poll in polls.find(connection, instance_id)}
    try:
        return found[resource]
    except KeyError:
        raise NotFoundError(
            f"instance {instance_id} does not poll {resource!r}",
            hint=f"it polls {', '.join(found)}" if found else "event.notification.enabled switches polling on",
        ) from None


def poll_state(poll: PollRow, search: DeletionRow | None = None) -> PollState:
    due = from_micros(poll.next_due_at)
    return PollState(
        resource=poll.resource,
        active=poll.active,
        interval_seconds=poll.interval / 1_000_000,
        quiet_polls=poll.quiet,
        since=from_micros(poll.since),
        last_poll=_moment(poll.polled_at),
        next_poll=due,
        failures=poll.failures,
        failure=poll.failure,
        waiting_until=due if poll.failure else None,
        running=poll.lease_owner is not None,
        summary=poll.summary,
        deletions=None if search is None else _deletion_search(search),
    )


def _polls(connection: Connection, instance_id: int) -> tuple[PollState, ...]:
    searches = {state.resource: state for state in deletions.find(connection, instance_id)}
    return tuple(poll_state(poll, searches.get(poll.resource)) for poll in polls.find(connection, instance_id))


def _deletion_search(state: DeletionRow) -> DeletionSearch:
    return DeletionSearch(
        searched_until=_moment(state.since),
        last_search=_moment(state.completed_at),
        next_search=_moment(state.next_due_at),
        failures=state.failures,
        failure=state.failure,
        alarm=state.alarm,
        mass_delete_allowed=state.allowed,
    )


def _subscriptions(connection: Connection, instance_id: int) -> tuple[Subscription, ...]:
    held = subscriptions.find(connection, instance_id)
    return tuple(Subscription(url=one["url"], state=one["state"], reason=one["state_reason"]) for one in held)


def _element(parts: Parts, key: str) -> Element | None:
    """None when the plugin of an instance is not installed any more; the instance can still be shown."""
    try:
        return parts.plugins.element(key)
    except NotFoundError:
        return None


def _reference(key: str, element: Element | None) -> ElementReference:
    if element is None:
        return ElementReference(id=None, key=key, name=key, hub="")
    return ElementReference(id=element.id, key=key, name=element.name, hub=element.hub)


def _configuration(element: Element | None, row: InstanceRow, hidden: list[str]) -> dict[str, str | None]:
    fields = [] if element is None else configuration_schema(element).fields.values()
    defaults = {field.data_key: _default_text(field.load_default) for field in fields if field.data_key}
    given = {key: _text(value) for key, value in row.configuration.items()}
    return dict(sorted((defaults | given | dict.fromkeys(hidden, MASK)).items()))


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _default_text(value: Any) -> str | None:
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 60:g}"
    return None if callable(value) or type(value).__name__ == "_Missing" else _text(value)


def _text(value: Any) -> str | None:
    """A configuration value as Cloud Elements returns it: text or null, even when a number was sent."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
