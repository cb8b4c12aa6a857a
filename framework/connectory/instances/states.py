"""Changes what an instance does: pause, resume, log in again, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import hints
from ..clock import to_micros
from ..errors import ConflictError
from ..schemas import load_configuration
from ..store import instances, polls
from . import finding
from .login import revocation
from .login.account import GivenToken, account_of, check_same

if TYPE_CHECKING:
    from ..auth import Token
    from ..store.instances import InstanceRow
    from .parts import Parts


def pause(parts: Parts, instance_id: int) -> InstanceRow:
    return _set_state(parts, instance_id, instances.PAUSED)


def resume(parts: Parts, instance_id: int) -> InstanceRow:
    row = finding.get(parts.database, instance_id)
    if row.state == instances.NEEDS_REAUTH:
        raise ConflictError(
            f"instance {instance_id} needs a new login: {row.state_reason}",
            hint=hints.log_in_to_resume(instance_id),
        )
    return _set_state(parts, instance_id, instances.ACTIVE)


def reauthenticate(parts: Parts, instance_id: int, token: Token) -> InstanceRow:
    """Give an instance a new login of the same account; polling continues where it stopped.

    Raises `AuthenticationError` for a login of another account; the old login is then kept.
    """
    row = finding.get(parts.database, instance_id)
    parts.tokens.save(instance_id, _checked(parts, row, token))
    state = instances.PAUSED if row.state == instances.PAUSED else instances.ACTIVE
    return _set_state(parts, instance_id, state)


def delete(parts: Parts, instance_id: int) -> None:
    """Remove an instance and everything that belongs to it, then revoke its tokens; an id is never used again."""
    row = finding.get(parts.database, instance_id)
    prepared = revocation.prepare(parts, row)
    with parts.database.write() as connection:
        instances.remove(connection, instance_id)
    if prepared is not None:
        prepared.run()


def _checked(parts: Parts, row: InstanceRow, token: Token) -> Token:
    """The token with its account, which must be the one that the instance was logged in as."""
    element = parts.plugins.element(row.element_key)
    if element.account is None:
        return token
    with parts.database.read() as connection:
        config = load_configuration(element, parts.vault.open(connection, row))
    given = account_of(element, parts.runtimes.client_of(element, config, GivenToken(token)))
    held = parts.tokens.load(row.id)
    check_same(row.id, known=held.account if held else None, given=given)
    return replace(token, account=given or None)


def _set_state(parts: Parts, instance_id: int, state: str) -> InstanceRow:
    finding.get(parts.database, instance_id)
    now = to_micros(parts.clock.now())
    with parts.database.write() as connection:
        instances.change(connection, instance_id, now, {"state": state, "state_reason": None})
        if state == instances.ACTIVE:
            polls.make_due(connection, [instance_id], now)
    return finding.get(parts.database, instance_id)
