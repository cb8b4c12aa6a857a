"""The resources of a ServiceNow instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connectory.model import Bound, Resource

from .configuration import ACCOUNTS_TABLE, CONTACTS_TABLE, DISPLAY_VALUE
from .deletes import LOG, LOG_FIELDS, deletes_of
from .paging import KeysetPages
from .users import COLUMNS, without_password

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from connectory.model import Config, Params

# v1 answers 404 to a list without rows, v2 answers 200 and an empty list. Without a version it is the newest one, which
# an upgrade may change.
API = "/api/now/v2/table"

ID = "sys_id"
UPDATED = "sys_updated_on"
CREATED = "sys_created_on"
VERSION = "sys_mod_count"

STAMP = "yyyy-MM-dd HH:mm:ss"
_DATES = {
    "updatedDateField": UPDATED,
    "updatedDateFormat": STAMP,
    "createdDateField": CREATED,
    "createdDateFormat": STAMP,
}
# As documented, including the zone, which is that of display values: see `stamps`.
_INCIDENT_DATES = {**_DATES, "updatedDateTimezone": "PST", "createdDateTimezone": "PST"}
BOUND = Bound(comparison="strict", unit=timedelta(seconds=1), zone="UTC")
"""Poll URLs compare with `>`; stamps are stored in UTC, cut to the second."""
_USER_TABLES = {"sys_user", "customer_contact"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TableResource(Resource):
    """A table, or the part of it that matches `filter`, an encoded query."""

    table: str
    filter: str = ""


def list_resources(config: Config) -> list[TableResource]:
    accounts = config.get(ACCOUNTS_TABLE, "core_company")
    contacts = config.get(CONTACTS_TABLE, "sys_user")
    return [
        _resource("accounts", accounts, config, "The companies you deal with."),
        _resource("contacts", contacts, config, "The people at your accounts; by default every user.", users=True),
        _resource("agents", "sys_user", config, "The people who work in ServiceNow: its users.", users=True),
        _resource("incidents", "incident", config, "Interruptions of a service, reported and worked on."),
    ]


def _resource(name: str, table: str, config: Config, description: str, users: bool = False) -> TableResource:
    # The table of contacts is configurable, and may extend users.
    names = (*COLUMNS, *config.get(f"servicenow.{name}.fields", "").split(","))
    columns = without_password(names) if users or table in _USER_TABLES else []
    return TableResource(
        name=name,
        table=table,
        filter=config.get(f"servicenow.{name}.filter", ""),
        path=f"{API}/{table}",
        params=_params(config, columns),
        id_field=ID,
        updated_field=UPDATED,
        created_field=CREATED,
        version_field=VERSION,
        records_path="result",
        paginator=KeysetPages(),
        bound=BOUND,
        poller=_poller(name),
        deletes=deletes_of(table, _log_of_deletes()),
        description=description,
    )


def _log_of_deletes() -> TableResource:
    return TableResource(
        name="deletions",
        table=LOG,
        path=f"{API}/{LOG}",
        params=(("sysparm_fields", LOG_FIELDS), ("sysparm_suppress_pagination_header", "true")),
        id_field=ID,
        updated_field=CREATED,
        records_path="result",
        paginator=KeysetPages(),
        bound=BOUND,
    )


def _params(config: Config, columns: list[str]) -> Params:
    params = [
        ("sysparm_display_value", config.get(DISPLAY_VALUE, "false")),
        # The Link header would repeat the query four times, and the answer to a long query would be 400.
        ("sysparm_suppress_pagination_header", "true"),
    ]
    return (*params, ("sysparm_fields", ",".join(columns))) if columns else tuple(params)


def _poller(name: str) -> Mapping[str, Any]:
    descriptor = "date" if name == "incidents" else "gmtDate"
    return {
        "url": f"/hubs/helpdesk/{name}?where={UPDATED}>'${{{descriptor}:yyyy-MM-dd'T'HH:mm:ss}}'",
        # The name `id` of Cloud Elements means the same.
        "idField": ID,
        "datesConfiguration": dict(_INCIDENT_DATES if name == "incidents" else _DATES),
    }
