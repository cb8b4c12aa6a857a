"""What is kept in memory for an instance between its polls: its client, its plans, the provider's clock.

A runtime is built when it is first needed, and again when the instance has changed.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..errors import NotFoundError
from ..http import Client, Sessions
from ..model import resolve_endpoint
from ..plans.entries import compile_plans
from ..ratelimits import account_key
from ..records.envelope import Origin
from ..schemas import CALLBACK_URL, load_configuration
from ..store import instances, subscriptions
from .budget import Budget
from .finding import no_instance
from .login.consent import AuthorizationFlow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..auth import Token, TokenSource
    from ..model import Config, Element
    from ..plans.plan import Plan
    from ..plugins import Plugins
    from ..store.database import Database
    from ..store.instances import InstanceRow
    from .login.tokens import TokenKeeper
    from .vault import Vault


@dataclass(kw_only=True)
class Runtime:
    """One instance, ready to poll. `subscriptions` are the ids of the subscriptions that get its notifications."""

    row: InstanceRow
    element: Element
    config: Config
    client: Client
    subscriptions: Sequence[int]
    plans: Mapping[str, Plan]
    clock_offset: timedelta
    budget: Budget | None = None
    page_sizes: dict[str, int] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        return Origin(instance_id=self.row.id, instance_name=self.row.name, element_key=self.element.key)

    def plan(self, resource: str) -> Plan:
        try:
            return self.plans[resource]
        except KeyError:
            raise NotFoundError(
                f"instance {self.row.id} does not poll {resource!r} any more", hint="look at its poller configuration"
            ) from None

    def page_size(self, resource: str) -> int:
        """Records per page: the plan's number, or fewer after the provider could not answer with that many."""
        return self.page_sizes.get(resource) or self.plan(resource).page_size

    def provider_now(self, now: datetime) -> datetime:
        return now + self.clock_offset

    def see_clock(self, date: datetime | None, now: datetime) -> None:
        """Learn the provider's clock from the `Date` of an answer that has just arrived; it has whole seconds only."""
        if date is not None:
            self.clock_offset = date - now


def _begun(plans: Mapping[str, Plan], row: InstanceRow) -> dict[str, Plan]:
    """The plans of a stored instance: they know when it was created, by the provider's clock."""
    begun = row.created_at + row.clock_offset
    return {name: replace(plan, begun=plan.floor(begun)) for name, plan in plans.items()}


class Runtimes:
    """Keeps one runtime per instance, shared by all worker threads."""

    def __init__(
        self, database: Database, plugins: Plugins, vault: Vault, tokens: TokenKeeper, sessions: Sessions
    ) -> None:
        self._database = database
        self._plugins = plugins
        self._vault = vault
        self._tokens = tokens
        self._sessions = sessions
        self._runtimes: dict[int, Runtime] = {}
        self._lock = threading.Lock()

    def get(self, instance_id: int, version: int | None = None) -> Runtime:
        """The runtime of the instance's present version; `NotFoundError` when the instance was deleted.

        A caller who has just read the newest version passes it as `version`, which saves a query.
        """
        if version is None:
            with self._database.read() as connection:
                version = instances.version_of(connection, instance_id)
        runtime = self._runtimes.get(instance_id)
        if runtime is None or runtime.row.version != version:
            runtime = self._build(instance_id)
            with self._lock:
                self._runtimes[instance_id] = runtime
        return runtime

    def _build(self, instance_id: int) -> Runtime:
        with self._database.read() as connection:
            row = instances.get(connection, instance_id)
            if row is None:
                raise no_instance(instance_id)
            raw = self._vault.open(connection, row)
            subscription_ids = subscriptions.ids_of(connection, instance_id)
        element = self._plugins.element(row.element_key)
        config = load_configuration(element, raw)
        return Runtime(
            row=row,
            element=element,
            config=config,
            client=self.client(element, config, instance_id),
            subscriptions=subscription_ids if config[CALLBACK_URL] else [],
            plans=_begun(compile_plans(element, config, self._plugins), row),
            clock_offset=timedelta(microseconds=row.clock_offset),
            budget=self._budget(element, config),
        )

    def _budget(self, element: Element, config: Config) -> Budget | None:
        if not element.limits:
            return None
        key = element.account_key or functools.partial(account_key, resolve_endpoint(element.base_url, config))
        return Budget(self._database, self._tokens.clock, f"{element.key}|{key(config)}", element.limits)

    def client(self, element: Element, config: Config, instance_id: int) -> Client:
        """A client that signs requests as the instance, with the tokens in the store."""
        return self.client_of(element, config, self._source(element, config, instance_id))

    def renew_login(self, instance_id: int) -> None:
        """Renew an instance's tokens, even if the present ones are still valid."""
        runtime = self.get(instance_id)
        token = self._tokens.load(instance_id)
        if token is not None:
            self._source(runtime.element, runtime.config, instance_id).renew(token.access_token.reveal())

    def _source(self, element: Element, config: Config, instance_id: int) -> TokenSource:
        def refresh(token: Token) -> Token:
            return self.flow(element, config).endpoint.refresh(token)

        return self._tokens.source(instance_id, refresh)

    def client_of(self, element: Element, config: Config, source: TokenSource) -> Client:
        """A client that signs requests with the tokens of `source`."""
        return Client(
            base_url=resolve_endpoint(element.base_url, config),
            auth=self._plugins.build_auth(element, config, source),
            judge=element.judge,
            headers=element.headers,
            sessions=self._sessions,
        )

    def flow(self, element: Element, config: Config) -> AuthorizationFlow:
        if element.oauth is None:
            raise NotFoundError(f"{element.key} does not use OAuth2")
        return AuthorizationFlow(
            oauth=element.oauth, config=config, now=self._tokens.clock.now, sessions=self._sessions
        )
