"""Finds deletions in a ServiceNow instance.

They are logged in `sys_audit_delete` under the class of the record: a deleted customer among the companies is logged as
`customer_account`. So the log is asked for a table and all tables that extend it. Deletes of `sys_*` tables are logged
only if an administrator lists them in `glide.ui.audit_deleted_tables`. By default users are not in that list, so for
users all ids are listed once a day instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectory.deletes import AuditLog, Counts, LogPart, Sweep, total_in_header
from connectory.errors import ProviderError
from connectory.model import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from connectory.deletes import Deletes
    from connectory.model import Resource, Response, Sender

    from .resources import TableResource

LOG = "sys_audit_delete"
LOG_FIELDS = "sys_id,tablename,documentkey,display_value,sys_created_on,sys_created_by"
DICTIONARY = "sys_db_object"

# Longer lists of classes are split into several requests; instances answer 414 to slightly longer URLs.
LONGEST_LIST = 6_000
CLASSES_LIVE = timedelta(days=1)
_MOST_CLASSES = "10000"

_COUNT = total_in_header("X-Total-Count")
_TABLE = re.compile(r"[a-z0-9_]+", re.IGNORECASE)

_LOG_CAVEAT = (
    f"deletions of {{table}} are read from {LOG}, which needs the role admin or a read rule of its own, and the tables"
    f" that extend it from {DICTIONARY}; tables with the attribute no_audit_delete are not logged"
)
_SWEEP_CAVEAT = (
    "ServiceNow does not log deleted users unless glide.ui.audit_deleted_tables lists sys_user, so all their ids are"
    " listed once a day, by a login that should be able to read every user; most users are deactivated and not"
    " deleted, which is an update"
)


def deletes_of(table: str, log: TableResource) -> Deletes:
    if table.startswith("sys_"):
        return Sweep(
            params=(("sysparm_fields", "sys_id"), ("sysparm_display_value", "false")),
            total=_COUNT,
            counts=Counts.REST,
            ascending=True,
            caveat=_SWEEP_CAVEAT,
        )
    return AuditLog(
        log=log,
        object_field="documentkey",
        date_format="yyyy-MM-dd HH:mm:ss",
        parts=LeafClasses(table=table, dictionary=f"{log.path.rpartition('/')[0]}/{DICTIONARY}", log=log),
        total=_COUNT,
        counts=Counts.REST,
        # Releases before Australia write the log some time after the delete.
        overlap=timedelta(minutes=10),
        kept=timedelta(days=7),
        caveat=_LOG_CAVEAT.format(table=table),
    )


@dataclass(kw_only=True)
class LeafClasses:
    """The part of the log about a table and all tables that extend it; their names are read once a day."""

    table: str
    dictionary: str
    log: TableResource
    _known: tuple[datetime, list[str]] | None = field(default=None, repr=False)

    def __call__(self, log: Resource, sender: Sender, now: datetime) -> Sequence[LogPart]:
        return [self._part(names) for names in in_lists(self.classes(sender, now))]

    def classes(self, sender: Sender, now: datetime) -> list[str]:
        if self._known is None or now - self._known[0] >= CLASSES_LIVE:
            self._known = now, self._ask(sender)
        return self._known[1]

    def _ask(self, sender: Sender) -> list[str]:
        found, level = {self.table}, [self.table]
        while level:
            children = [name for names in in_lists(level) for name in self._children(sender, names)]
            level = sorted(set(children) - found)
            found.update(level)
        return sorted(found)

    def _children(self, sender: Sender, names: Sequence[str]) -> list[str]:
        params = (
            ("sysparm_query", f"super_class.nameIN{','.join(names)}^ORDERBYname"),
            ("sysparm_fields", "name"),
            ("sysparm_limit", _MOST_CLASSES),
            ("sysparm_suppress_pagination_header", "true"),
        )
        response = sender.send(Request(path=self.dictionary, params=params))
        children = [name for row in _rows(response) if _TABLE.fullmatch(name := str(row.get("name", "")))]
        counted = _COUNT(response)
        if counted is not None and counted > len(children):
            raise ProviderError(
                f"{counted - len(children)} of the tables that extend {self.table} may not be read",
                where=self.dictionary,
                hint=f"give the integration user read access to {DICTIONARY}: deletions are logged by their names",
            )
        return children

    def _part(self, names: Sequence[str]) -> LogPart:
        known = frozenset(names)

        def accepts(entry: Mapping[str, Any]) -> bool:
            return entry.get("tablename") in known

        return LogPart(log=replace(self.log, filter=f"tablenameIN{','.join(names)}"), accepts=accepts)


def in_lists(names: Iterable[str]) -> Iterator[list[str]]:
    """The names, split into lists that are short enough for a request."""
    taken: list[str] = []
    length = 0
    for name in names:
        if taken and length + len(name) > LONGEST_LIST:
            yield taken
            taken, length = [], 0
        taken.append(name)
        # A comma is sent as %2C.
        length += len(name) + 3
    if taken:
        yield taken


def _rows(response: Response) -> list[dict[str, Any]]:
    body = response.json()
    rows = body.get("result") if isinstance(body, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
