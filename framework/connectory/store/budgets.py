"""Queries of `budgets`: the requests that each account has left, shared by all processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text, update

from .tables import budgets

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(kw_only=True, slots=True)
class BudgetRow:
    """The state of one account; moments are microseconds.

    `buckets` has, for each limit, the requests left and when they were counted. `holders` has the running polls, each
    with the moment until which it counts as running; see `Limit.concurrent`.
    """

    account: str
    parked_until: int = 0
    reason: str | None = None
    failures: int = 0
    buckets: list[tuple[float, int]] = field(default_factory=list)
    holders: dict[str, int] = field(default_factory=dict)


def get(connection: Connection, account: str) -> BudgetRow:
    """The state of an account; one that was never stored has a fresh state."""
    row = connection.execute(_GET, {"of_account": account}).first()
    return BudgetRow(account=account) if row is None else _row(row)


def hold(connection: Connection, account: str) -> BudgetRow:
    """The state of an account, locked until the transaction ends."""
    connection.execute(_ADD, {"account": account})
    return _row(connection.execute(_HOLD, {"of_account": account}).one())


def put(connection: Connection, row: BudgetRow) -> None:
    connection.execute(
        _PUT,
        {
            "of_account": row.account,
            "parked_until": row.parked_until,
            "reason": row.reason,
            "failures": row.failures,
            "buckets": [list(bucket) for bucket in row.buckets],
            "holders": row.holders,
        },
    )


_GET = select(budgets).where(budgets.c.account == bindparam("of_account"))
_HOLD = _GET.with_for_update()
_ADD = text(
    "INSERT INTO budgets (account, parked_until, failures, buckets, holders) VALUES (:account, 0, 0, '[]', '{}')"
    " ON CONFLICT (account) DO NOTHING"
)
_PUT = (
    update(budgets)
    .where(budgets.c.account == bindparam("of_account"))
    .values({name: bindparam(name) for name in ("parked_until", "reason", "failures", "buckets", "holders")})
)


def _row(row: Row[Any]) -> BudgetRow:
    return BudgetRow(
        account=row.account,
        parked_until=row.parked_until,
        reason=row.reason,
        failures=row.failures,
        buckets=[(left, at) for left, at in row.buckets],
        holders=dict(row.holders),
    )
