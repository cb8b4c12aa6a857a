"""Creates, changes, pauses and removes instances.

An instance is checked whole before anything is written: its configuration, each poll URL, each date pattern. Then its
login is proved, and only then it is polled. An edit never moves a cursor.
"""

from __future__ import annotations

import html
import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import hints
from ..auth import Token
from ..clock import duration_micros, to_micros
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectoryError,
    NotFoundError,
    RetryLaterError,
)
from ..plans.entries import compile_plans
from ..schemas import (
    CALLBACK_URL,
    FIRST_POLL,
    NOTIFICATIONS_ENABLED,
    REFRESH_INTERVAL,
    is_secret,
    load_configuration,
    load_instance_body,
    misspelt,
    parse_first_poll,
)
from ..secrets import MASK, Secret
from ..store import credentials, deletions, deliveries, instances, polls, snapshots
from .account import ACCOUNT, GivenToken, account_of, check_same, known_account, with_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from ..model import Config, Element
    from ..plans.plan import Plan
    from ..store.instances import InstanceRow
    from .oauth import AuthorizationFlow
    from .parts import Parts

log = logging.getLogger(__name__)

_TAG = re.compile(r"<[^>]*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# The largest whole number that every store keeps.
_MOST_ID = 2**63 - 1

# What servicenowoauth's documentation gave as the code where the password grant was meant.
_PASSWORD_CODE = "1000"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An instance that was checked and is not stored yet."""

    element: Element
    name: str
    tags: Sequence[str]
    raw: Mapping[str, Any]
    config: Config
    plans: Mapping[str, Plan]
    provider_data: Mapping[str, Any]
    external: str

    @property
    def warnings(self) -> list[str]:
        return _warnings(self.element, self.raw, self.plans)

    @property
    def needs_consent(self) -> bool:
        """Whether a person must allow the access in a browser before the instance can be created."""
        if self.element.oauth is None or self.external == "initial":
            return False
        return not self.provider_data.get("code") and not (self.config.get("username") and self.config.get("password"))


class Instances:
    """The instances of one store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._database = parts.database
        self._plugins = parts.plugins
        self._vault = parts.vault
        self._tokens = parts.tokens
        self._runtimes = parts.runtimes
        self._clock = parts.clock

    # Creating

    def prepare(self, body: Any) -> Draft:
        """Check the body of `POST /instances`; nothing is asked of the provider, nothing is written."""
        loaded = load_instance_body(body)
        element = self._element_of(loaded["element"])
        config = load_configuration(element, loaded["configuration"])
        _refuse_masked(element, loaded["configuration"])
        name = sanitised(loaded["name"] or element.key)
        return Draft(
            element=element,
            name=name,
            tags=_tags(loaded["tags"]) if loaded["tags"] is not None else [name],
            raw=loaded["configuration"],
            config=config,
            plans=compile_plans(element, config, self._plugins),
            provider_data=loaded["provider_data"],
            external=loaded["external_authentication"],
        )

    def flow(self, draft: Draft) -> AuthorizationFlow:
        """The OAuth2 flow for a draft that needs a consent."""
        return self._runtimes.flow(draft.element, draft.config)

    def create(self, body: Any) -> InstanceRow:
        """Check the body, log in with what it brings, store the instance."""
        draft = self.prepare(body)
        return self.establish(draft, self.token_of(draft))

    def draft_of(self, row: InstanceRow, code: str | None = None) -> Draft:
        """An instance as a draft, for logging in again; with a code that was obtained elsewhere, or for a consent."""
        with self._database.read() as connection:
            raw = self._vault.open(connection, row)
        element = self._plugins.element(row.element_key)
        return Draft(
            element=element,
            name=row.name,
            tags=row.tags,
            raw=raw,
            config=load_configuration(element, raw),
            plans={},
            provider_data={"code": code} if code else {},
            external="none",
        )

    def warnings(self, row: InstanceRow) -> list[str]:
        """What somebody should know of an instance's configuration."""
        with self._database.read() as connection:
            raw = self._vault.open(connection, row)
        return _warnings(self._plugins.element(row.element_key), raw, self._runtimes.get(row.id).plans)

    def establish(self, draft: Draft, token: Token | None) -> InstanceRow:
        """Store a draft with its login, prove the login, and start its polls.

        The tokens are stored before they are used, so that one which the provider rotates is never lost.
        """
        public, hidden = self._vault.split(draft.element, draft.raw)
        now = self._clock.now()
        with self._database.write() as connection:
            instance_id = instances.add(
                connection,
                {
                    "element_key": draft.element.key,
                    "name": draft.name,
                    "tags": list(draft.tags),
                    "configuration": public,
                    "state": instances.ACTIVE,
                    "external_authentication": draft.external,
                    "created_at": to_micros(now),
                    "updated_at": to_micros(now),
                },
            )
            self._vault.close(connection, instance_id, hidden)
            if draft.config[CALLBACK_URL]:
                deliveries.create_subscription(connection, instance_id, draft.config[CALLBACK_URL], to_micros(now))
        if token is not None:
            self._tokens.save(instance_id, token)
        offset = self._prove(draft, instance_id)
        account = self._account(draft, instance_id)
        with self._database.write() as connection:
            if account:
                credentials.note(connection, instance_id, {ACCOUNT: account})
            instances.set_clock_offset(connection, instance_id, duration_micros(offset))
            self._start(connection, instance_id, draft.config, draft.plans, now + offset)
        return self.get(instance_id)

    def _element_of(self, reference: Mapping[str, Any]) -> Element:
        key, number = reference.get("key"), reference.get("id")
        if key:
            return self._plugins.element(key)
        for element in self._plugins.elements():
            if number is not None and element.id == number:
                return element
        if number is not None:
            return self._plugins.element(str(number))
        raise ConfigurationError("no element is named", where="element.key", hint='e.g. "element": {"key": "..."}')

    def token_of(self, draft: Draft) -> Token | None:
        """The login that a draft brings with it: a code, a refresh token, or a password."""
        if draft.element.oauth is None:
            return None
        flow, config = self.flow(draft), draft.config
        if draft.external == "initial":
            return self._initial_token(draft, flow)
        code = draft.provider_data.get("code")
        username, password = config.get("username"), config.get("password")
        if username and password and code in {None, "", _PASSWORD_CODE}:
            return flow.password(str(username), password if isinstance(password, Secret) else Secret(str(password)))
        if not isinstance(code, str) or not code:
            raise AuthenticationError(
                "there is no authorization code, and no refresh token to start from",
                where="providerData.code",
                hint=hints.consent(draft.element.key),
            )
        return flow.exchange_code(code)

    def _initial_token(self, draft: Draft, flow: AuthorizationFlow) -> Token:
        refresh_token = draft.config.get("oauth.user.refresh_token")
        if not refresh_token:
            raise ConfigurationError(
                "missing required configuration: oauth.user.refresh_token",
                where="configuration",
                hint="externalAuthentication `initial` starts from an existing refresh token",
            )
        return flow.refresh(Token(access_token=Secret(""), refresh_token=refresh_token))

    def _prove(self, draft: Draft, instance_id: int) -> timedelta:
        """Make the element's cheap request, and return how far the provider's clock is ahead of ours.

        A refused login takes the instance back. A provider that does not answer now may do so later: polling goes on
        asking.
        """
        if draft.element.probe is None:
            return timedelta(0)
        client = self._runtimes.client(draft.element, draft.config, instance_id)
        try:
            date = client.send(draft.element.probe).date
        except RetryLaterError:
            return timedelta(0)
        except Exception:
            self.delete(instance_id)
            raise
        return timedelta(0) if date is None else date - self._clock.now()

    def _account(self, draft: Draft, instance_id: int) -> str:
        """Who has logged in; empty where that cannot be told now, which does not keep the instance from working."""
        if draft.element.account is None:
            return ""
        try:
            return account_of(draft.element, self._runtimes.client(draft.element, draft.config, instance_id))
        except AuthenticationError:
            self.delete(instance_id)
            raise
        except ConnectoryError as error:
            log.warning("instance %s does not say whose login it has: %s", instance_id, error)
            return ""

    def _start(
        self, connection: Connection, instance_id: int, config: Config, plans: Mapping[str, Plan], now: datetime
    ) -> None:
        """Make the polls; `now` is the provider's time."""
        if not config[NOTIFICATIONS_ENABLED]:
            return
        since = to_micros(parse_first_poll(config[FIRST_POLL], now))
        known = {poll.resource for poll in polls.find(connection, instance_id)}
        polls.add(
            connection,
            [
                {
                    "instance_id": instance_id,
                    "resource": name,
                    "interval": _interval(config),
                    "since": since,
                    "seen_from": since,
                    "next_due_at": to_micros(self._clock.now()),
                }
                for name in plans
                if name not in known
            ],
        )

    # Looking

    def get(self, instance_id: int) -> InstanceRow:
        with self._database.read() as connection:
            row = instances.get(connection, instance_id)
        if row is None:
            raise NotFoundError(f"there is no instance {instance_id}", hint=hints.LIST_INSTANCES)
        return row

    def find(self, *, element_key: str | None = None, name: str | None = None) -> list[InstanceRow]:
        with self._database.read() as connection:
            return instances.find(connection, element_key=element_key, name=name)

    def resolve(self, reference: str) -> InstanceRow:
        """An instance by its id or, where no other has it, by its name."""
        if reference.isdecimal() and int(reference) <= _MOST_ID:
            return self.get(int(reference))
        named = self.find(name=reference)
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(str(row.id) for row in named)
            raise ConfigurationError(f"several instances are called {reference!r}: {ids}", hint="name one by its id")
        raise NotFoundError(f"there is no instance {reference!r}", hint=hints.LIST_INSTANCES)

    def exists(self, instance_id: int) -> bool:
        with self._database.read() as connection:
            return instances.get(connection, instance_id) is not None

    # Changing

    def update(
        self,
        instance_id: int,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> InstanceRow:
        """Change what is given; configuration is merged key by key, and cursors stay where they are.

        Edits at the same time are made one after another: each adds to what the others have left.
        """
        while not self._updated(instance_id, name, tags, configuration):
            continue
        return self.get(instance_id)

    def _updated(
        self,
        instance_id: int,
        name: str | None,
        tags: Sequence[str] | None,
        configuration: Mapping[str, Any] | None,
    ) -> bool:
        """False where somebody else has changed the instance meanwhile; then nothing is written."""
        row = self.get(instance_id)
        element = self._plugins.element(row.element_key)
        with self._database.read() as connection:
            held = self._vault.open(connection, row)
        # What was shown masked and comes back so is left as it is.
        raw = held | {key: value for key, value in (configuration or {}).items() if value != MASK or key not in held}
        _refuse_masked(element, raw)
        config = load_configuration(element, raw)
        plans = compile_plans(element, config, self._plugins)
        public, hidden = self._vault.split(element, raw)
        values: dict[str, Any] = {"configuration": public}
        if name is not None:
            values["name"] = sanitised(name)
        if tags is not None:
            values["tags"] = _tags(tags)
        now = self._clock.now()
        with self._database.write() as connection:
            if not instances.change(connection, instance_id, to_micros(now), values, version=row.version):
                return False
            self._vault.close(connection, instance_id, hidden)
            deliveries.set_callback_url(connection, instance_id, config[CALLBACK_URL], to_micros(now))
            self._start(connection, instance_id, config, plans, now + timedelta(microseconds=row.clock_offset))
            self._reschedule(connection, instance_id, config, plans)
            _forget_untracked(connection, instance_id, plans)
        return True

    def _reschedule(self, connection: Connection, instance_id: int, config: Config, plans: Mapping[str, Plan]) -> None:
        enabled = config[NOTIFICATIONS_ENABLED]
        for poll in polls.find(connection, instance_id):
            polls.configure(
                connection,
                instance_id,
                poll.resource,
                active=enabled and poll.resource in plans,
                interval=_interval(config),
                due_at=to_micros(self._clock.now()) + _interval(config),
            )

    def reauthenticate(self, instance_id: int, token: Token) -> InstanceRow:
        """Give an instance a new login of the same account; polling goes on where it stopped.

        A login of another account is an `AuthenticationError`, and the old one is kept.
        """
        row = self.get(instance_id)
        self._tokens.save(instance_id, self._checked(row, token))
        return self._set_state(instance_id, instances.PAUSED if row.state == instances.PAUSED else instances.ACTIVE)

    def _checked(self, row: InstanceRow, token: Token) -> Token:
        element = self._plugins.element(row.element_key)
        if element.account is None:
            return token
        with self._database.read() as connection:
            config = load_configuration(element, self._vault.open(connection, row))
        given = account_of(element, self._runtimes.client_of(element, config, GivenToken(token)))
        check_same(row.id, known_account(self._tokens.load(row.id)), given)
        return with_account(token, given)

    def pause(self, instance_id: int) -> InstanceRow:
        return self._set_state(instance_id, instances.PAUSED)

    def resume(self, instance_id: int) -> InstanceRow:
        row = self.get(instance_id)
        if row.state == instances.NEEDS_REAUTH:
            raise ConflictError(
                f"instance {instance_id} needs a new login: {row.state_reason}",
                hint=hints.log_in_to_resume(instance_id),
            )
        return self._set_state(instance_id, instances.ACTIVE)

    def _set_state(self, instance_id: int, state: str) -> InstanceRow:
        self.get(instance_id)
        now = to_micros(self._clock.now())
        with self._database.write() as connection:
            instances.change(connection, instance_id, now, {"state": state, "state_reason": None})
            if state == instances.ACTIVE:
                polls.make_due(connection, [instance_id], now)
        return self.get(instance_id)

    def delete(self, instance_id: int) -> None:
        """Remove an instance and everything that belongs to it; an id is never used again."""
        self.get(instance_id)
        with self._database.write() as connection:
            instances.remove(connection, instance_id)


def _warnings(element: Element, raw: Mapping[str, Any], plans: Mapping[str, Plan]) -> list[str]:
    of_plans = [f"{name}: {warning}" for name, plan in plans.items() for warning in plan.warnings]
    return [*misspelt(element, raw), *of_plans]


def _refuse_masked(element: Element, raw: Mapping[str, Any]) -> None:
    masked = sorted(key for key, value in raw.items() if value == MASK and is_secret(element, key))
    if masked:
        raise ConfigurationError(
            f"{MASK} is what is shown in a secret's place, not the secret",
            where=f"configuration.{masked[0]}",
            hint="give the secret itself",
        )


def sanitised(name: str) -> str:
    """A name without markup, as the platform keeps it, and without what a terminal would obey."""
    return _printable(html.unescape(_TAG.sub("", name))) or "unnamed"


def _tags(tags: Sequence[str]) -> list[str]:
    return [shown for tag in tags if (shown := _printable(tag))]


def _printable(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _forget_untracked(connection: Connection, instance_id: int, plans: Mapping[str, Plan]) -> None:
    """What is not tracked any more begins anew when it is tracked again; nothing is kept of it meanwhile."""
    entries = {name: plan.entry for name, plan in plans.items()}
    without_deletes = [name for name, entry in entries.items() if entry.track_deletes is None]
    without_changes = [
        name for name, entry in entries.items() if entry.track_changes is None and not entry.ignore_fields
    ]
    deletions.forget_tracking(connection, instance_id, without_deletes)
    snapshots.forget_tracking(connection, instance_id, without_changes)


def _interval(config: Config) -> int:
    interval: timedelta = config[REFRESH_INTERVAL]
    return duration_micros(interval)
