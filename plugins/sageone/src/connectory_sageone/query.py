"""A list request as parameters of Sage's API.

Most terms of a `where` are parameters of Sage: `search='x' and attributes='a,b'`. Only `lastModifiedDate` is a field;
it becomes Sage's `updated_or_created_since`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connectory.ceql import Comparison, conjuncts, to_text
from connectory.errors import ConfigurationError, QueryError
from connectory.translate import to_params

from .resources import CREATED, UPDATED, SageResource

if TYPE_CHECKING:
    from connectory.model import Params, Query, Resource
    from connectory.translate import Operators

SINCE = "updated_or_created_since"
_ATTRIBUTES, _SORT, _DELETED_SINCE = "attributes", "sort", "deleted_since"
# Parameters that set a window of the user's own.
_WINDOWS = {SINCE, _DELETED_SINCE, "updated_from_date"}

_PARAMETERS = (
    _ATTRIBUTES, "nested_attributes", SINCE, _DELETED_SINCE, "contact_type_id", "search", "email", "exclude_system",
    "show_balance", "context_date", "from_date", "to_date", "start_date", "end_date", "contact_id", "status_id",
    "bank_account_id", "transaction_type_id", "visible_in", "ledger_account_type_id", "active", "updated_from_date",
    "updated_to_date", "address_id", "country_id", "address_region_id", "show_legacy_id",
    "show_payments_allocations", "has_attachments", _SORT,
)  # fmt: skip
LAST_MODIFIED = "lastModifiedDate"

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII
)


def translate(resource: Resource, query: Query) -> Params:
    given = dict(query.params)
    _check_dates(query)
    for name, value in _terms(query):
        if name in given:
            raise ConfigurationError(f"{name} is given twice: in the where and as a parameter", where="url")
        given[name] = value
    if SINCE in given:
        given[SINCE] = since(given[SINCE]) or given[SINCE]
    if query.window is not None and isinstance(resource, SageResource) and resource.is_dated:
        given = _polled(resource, query, given)
    return tuple(given.items())


def since(text: str) -> str | None:
    """A moment in Sage's format: UTC with a Z, or a date alone. None if the text is not a date.

    A moment without a zone is UTC, as all stamps of Sage. A fraction is cut off, because Sage's bound is inclusive.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    date, time, zone = match.groups()
    try:
        if time is None:
            return datetime.fromisoformat(date).date().isoformat()
        moment = datetime.fromisoformat(f"{date}T{time}{zone or 'Z'}")
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def _terms(query: Query) -> Params:
    return _TRANSLATE(query)[len(query.params) :]


_FIELDS: dict[str, Operators] = {name: name for name in _PARAMETERS}
_TRANSLATE = to_params({LAST_MODIFIED: {">=": SINCE, ">": SINCE}} | _FIELDS)


def _check_dates(query: Query) -> None:
    """Refuse a wrong `lastModifiedDate` with a message that helps more than the general one of the translator."""
    for term in conjuncts(query.expression):
        if not isinstance(term, Comparison) or term.field != LAST_MODIFIED:
            continue
        if term.operator not in {">=", ">"}:
            raise _refused(
                query,
                term,
                f"Sage does not support {LAST_MODIFIED} {term.operator}",
                f"it can list what was changed since a moment: {LAST_MODIFIED} >= '2024-05-01T00:00:00Z'",
            )
        if since(str(term.value)) is None:
            raise _refused(
                query, term, f"{str(term.value)!r} is not a date", "write it as 2024-05-01 or 2024-05-01T10:00:00Z"
            )


def _refused(query: Query, term: Comparison, message: str, hint: str) -> QueryError:
    text = to_text(query.expression) if query.expression is not None else ""
    return QueryError(message, text=text, position=max(0, text.find(to_text(term))), hint=hint)


def _polled(resource: SageResource, query: Query, given: dict[str, str]) -> dict[str, str]:
    """Add what a poll needs if its URL does not say it: the window, the stamps of the records, and a stable order."""
    if _DELETED_SINCE in given:
        return given
    if query.window is not None and not _WINDOWS & given.keys():
        given[SINCE] = query.window.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given[_ATTRIBUTES] = _with_stamps(given.get(_ATTRIBUTES, ""))
    if resource.is_sorted:
        # Sorted by the updated stamp, a record that changes during the poll would move others into pages already read.
        given.setdefault(_SORT, f"{CREATED}:asc")
    return given


def _with_stamps(attributes: str) -> str:
    """Lists contain no stamps unless they are asked for."""
    names = [name.strip() for name in attributes.split(",") if name.strip()]
    if "all" in names:
        return "all"
    return ",".join(dict.fromkeys([*names, CREATED, UPDATED]))
