"""Claims lanes in the store for one worker: while its lease lasts, no other worker sends from a lane."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from ..clock import from_micros, to_micros
from ..errors import ConnectoryError
from ..store import lanes

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from ..clock import Clock
    from ..store.database import Database
    from ..store.lanes import Lane

log = logging.getLogger(__name__)

LANE_LEASE = timedelta(seconds=120)
"""Much longer than a batch (`lane.BATCH_TIME`) and one attempt take, so that a lease does not end during them."""


class Claims:
    """`owner` names the worker; `instance_ids` limits it to some instances."""

    def __init__(
        self, database: Database, clock: Clock, owner: str, instance_ids: Collection[int] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._instance_ids = instance_ids

    def next_due(self) -> datetime | None:
        """When the next notification is due; None if none is waiting."""
        with self._database.read() as connection:
            due = lanes.next_due(connection, self._instance_ids)
        return None if due is None else from_micros(due)

    def claim(
        self, horizon: datetime, limit: int, silent: Collection[int] = (), limit_of_silent: int = 0
    ) -> list[Lane]:
        """Claim up to `limit` lanes that were due at `horizon`.

        At most `limit_of_silent` of them belong to the subscriptions `silent`, and the other lanes come first.
        """
        with self._database.write() as connection:
            lanes = self._claim(connection, horizon, limit, but=silent)
            room = min(limit - len(lanes), limit_of_silent)
            if silent and room > 0:
                lanes += self._claim(connection, horizon, room, subscription_ids=silent)
        return lanes

    def release(self) -> None:
        """Give up all lanes of this worker. If the store fails, the leases run out by themselves."""
        try:
            with self._database.write() as connection:
                lanes.free_leases(connection, [self._owner])
        except ConnectoryError as error:
            log.warning("the lanes of this process stay reserved for up to %d s: %s", LANE_LEASE.total_seconds(), error)

    def _claim(
        self,
        connection: Connection,
        horizon: datetime,
        limit: int,
        *,
        but: Collection[int] = (),
        subscription_ids: Collection[int] | None = None,
    ) -> list[Lane]:
        return lanes.claim(
            connection,
            owner=self._owner,
            now=to_micros(horizon),
            until=to_micros(self._clock.now() + LANE_LEASE),
            limit=limit,
            instance_ids=self._instance_ids,
            subscription_ids=subscription_ids,
            but=but,
        )
