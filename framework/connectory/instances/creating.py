"""Creates an instance: stores a draft with its login, proves the login, and starts the polls."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import duration_micros, to_micros
from ..errors import AuthenticationError, ConnectoryError, RetryLaterError
from ..schemas import CALLBACK_URL
from ..store import credentials, instances, subscriptions
from . import finding, pollset
from .login import given
from .login.account import account_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..auth import Token
    from ..store.instances import InstanceRow
    from .draft import Draft
    from .parts import Parts

log = logging.getLogger(__name__)


def token_of(parts: Parts, draft: Draft) -> Token | None:
    """The login that a draft brings with it; None for an element that does not use OAuth2."""
    if draft.element.oauth is None:
        return None
    return given.token_of(draft, parts.runtimes.flow(draft.element, draft.config).endpoint)


def establish(parts: Parts, draft: Draft, token: Token | None) -> InstanceRow:
    """Store a draft with its login, prove the login, and start its polls.

    The tokens are stored before their first use: the provider may replace them at once, and the new tokens must be
    saved as well. If the provider refuses the login, or another error occurs, the instance is removed again.
    """
    now = parts.clock.now()
    instance_id = _store(parts, draft, now)
    if token is not None:
        parts.tokens.save(instance_id, token)
    try:
        offset = _prove(parts, draft, instance_id)
        account = _account(parts, draft, instance_id)
    except Exception:
        with parts.database.write() as connection:
            instances.remove(connection, instance_id)
        raise
    with parts.database.write() as connection:
        if account:
            credentials.set_account(connection, instance_id, account)
        instances.set_clock_offset(connection, instance_id, duration_micros(offset))
        pollset.start(
            connection, instance_id, draft.config, draft.plans, now=parts.clock.now(), provider_now=now + offset
        )
    return finding.get(parts.database, instance_id)


def _store(parts: Parts, draft: Draft, now: datetime) -> int:
    public, hidden = parts.vault.split(draft.element, draft.raw)
    with parts.database.write() as connection:
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
        parts.vault.close(connection, instance_id, hidden)
        if draft.config[CALLBACK_URL]:
            subscriptions.create(connection, instance_id, draft.config[CALLBACK_URL], to_micros(now))
    return instance_id


def _prove(parts: Parts, draft: Draft, instance_id: int) -> timedelta:
    """Make the element's cheap request, and return how far the provider's clock is ahead of ours.

    If the provider cannot answer now, zero is returned and the instance is kept: its polls try again later.
    """
    if draft.element.probe is None:
        return timedelta(0)
    client = parts.runtimes.client(draft.element, draft.config, instance_id)
    try:
        date = client.send(draft.element.probe).date
    except RetryLaterError:
        return timedelta(0)
    return timedelta(0) if date is None else date - parts.clock.now()


def _account(parts: Parts, draft: Draft, instance_id: int) -> str:
    """The account that has logged in. It is empty if the provider does not say; the instance works without it."""
    if draft.element.account is None:
        return ""
    try:
        return account_of(draft.element, parts.runtimes.client(draft.element, draft.config, instance_id))
    except AuthenticationError:
        raise
    except ConnectoryError as error:
        log.warning("the provider did not say which account instance %s is logged in as: %s", instance_id, error)
        return ""
