"""The resources of a Sage business."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectory.deletes import Feed, Sweep
from connectory.model import Bound, Resource

from .addresses import is_v3
from .paging import PAGES, TOTAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectory.model import Config

CREATED, UPDATED, DELETED = "created_at", "updated_at", "deleted_at"
STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"

_DATES = {
    "updatedDateField": UPDATED,
    "updatedDateFormat": STAMP,
    "updatedDateTimezone": "GMT",
    "createdDateField": CREATED,
    "createdDateFormat": STAMP,
    "createdDateTimezone": "GMT",
}
BOUND = Bound(comparison="strict", unit=timedelta(seconds=1), zone="UTC")
"""Sage documents its bound as inclusive. One second more costs nothing, because known records are not announced again,
and nothing is lost if one of its lists compares with `>`. Stamps are in UTC, cut to the second."""
FEED = Feed(
    query=f"deleted_since=${{gmtDate:{STAMP}}}&attributes={DELETED}",
    date_field=DELETED,
    date_format=STAMP,
    date_timezone="GMT",
    total=TOTAL,
)
SWEEP = Sweep(
    total=TOTAL,
    interval=timedelta(days=1),
    caveat="Sage has no list of deleted records here: all ids are listed once a day, and missing records looked up.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SageResource(Resource):
    """A list of Sage.

    `verbs` are the letters of what it supports: C create, R read one, U update, D delete, S list. A written body is
    wrapped in `wrapper`, the singular name. With `is_voided`, a DELETE needs a reason, and keeps the record with the
    status VOID. `contact_type` is the type of the contacts in the list. `is_dated` lists can be asked for changes,
    `is_sorted` ones support `sort`, and an `is_single` path holds one object instead of a list.
    """

    verbs: str = "RS"
    wrapper: str = ""
    is_voided: bool = False
    contact_type: str = ""
    is_dated: bool = True
    is_sorted: bool = False
    is_single: bool = False


def list_resources(config: Config) -> list[SageResource]:
    return _OF_V3 if is_v3(config) else _OF_V31


def poller(name: str) -> Mapping[str, Any]:
    """The default poller entry; that of customers is exactly the documented one."""
    return {
        "url": f"/hubs/finance/{name}?where=lastModifiedDate>='${{date:{STAMP}}}' and attributes='{CREATED},{UPDATED}'",
        "idField": "id",
        "datesConfiguration": dict(_DATES),
    }


def _records(
    name: str, path: str, verbs: str, wrapper: str, description: str, *, polled: bool = True, **more: Any
) -> SageResource:
    """A list of records that people write; they have stamps."""
    return SageResource(
        name=name,
        path=path,
        verbs=verbs,
        wrapper=wrapper,
        description=description,
        updated_field=UPDATED,
        created_field=CREATED,
        records_path="$items",
        paginator=PAGES,
        bound=BOUND,
        poller=poller(name) if polled else None,
        **{"deletes": FEED} | more,
    )


def _contacts(name: str, contact_type: str, description: str) -> SageResource:
    return _records(
        name,
        "/contacts",
        "CRUS",
        "contact",
        description,
        params=(("contact_type_id", contact_type),),
        contact_type=contact_type,
    )


def _artefacts(name: str, path: str, wrapper: str, description: str) -> SageResource:
    return _records(name, path, "CRUDS", wrapper, description, is_voided=True, is_sorted=True)


def _codes(name: str, path: str = "", **more: Any) -> SageResource:
    """A list that Sage maintains and that hardly ever changes."""
    return SageResource(
        name=name,
        path=path or f"/{name.replace('-', '_')}",
        records_path="$items",
        paginator=PAGES,
        description=f"The {name.replace('-', ' ')} that Sage knows.",
        is_dated=False,
        **more,
    )


_BOTH = [
    _contacts("customers", "CUSTOMER", "The contacts that you sell to."),
    _contacts("vendors", "VENDOR", "The contacts that you buy from."),
    # Not polled by default: each of them is a customer or a vendor.
    _records("contacts", "/contacts", "RS", "contact", "Customers, vendors, and those who are both.", polled=False),
    _records("contact-persons", "/contact_persons", "RS", "contact_person", "The people at your contacts."),
    _records("addresses", "/addresses", "RS", "address", "The addresses of your contacts."),
    _artefacts("invoices", "/sales_invoices", "sales_invoice", "The invoices that you wrote."),
    _artefacts("sales-credit-notes", "/sales_credit_notes", "sales_credit_note", "Credit notes for your invoices."),
    _artefacts("purchase-invoices", "/purchase_invoices", "purchase_invoice", "The invoices that you received."),
    _artefacts(
        "purchase-credit-notes", "/purchase_credit_notes", "purchase_credit_note", "Credit notes from your vendors."
    ),
    _records("sales-quotes", "/sales_quotes", "CRUS", "sales_quote", "Your quotes.", deletes=SWEEP, is_sorted=True),
    _records(
        "payments", "/contact_payments", "CRUS", "contact_payment", "Payments of and to contacts.", is_sorted=True
    ),
    _records(
        "other-payments", "/other_payments", "CRUDS", "other_payment", "Payments without a contact.", is_sorted=True
    ),
    _records(
        "contact-allocations",
        "/contact_allocations",
        "RS",
        "contact_allocation",
        "Which payment is for which invoice.",
        is_sorted=True,
    ),
    _records("journal-entries", "/journals", "CRS", "journal", "Entries in the journal."),
    _records("products", "/products", "CRUDS", "product", "The products that you sell or buy."),
    _records("services", "/services", "RS", "service", "The services that you sell or buy."),
    _records("bank-accounts", "/bank_accounts", "CRUDS", "bank_account", "Your bank accounts, with their balances."),
    _records("ledger-accounts", "/ledger_accounts", "CRUS", "ledger_account", "The chart of accounts.", deletes=SWEEP),
    _records("tax-rates", "/tax_rates", "CRUS", "tax_rate", "The rates of tax.", polled=False, deletes=SWEEP),
    _codes("tax-codes", "/tax_types"),
    _codes("tax-profiles"),
    _codes("product-sales-price-types"),
    _codes("live-exchange-rates", id_field="currency.id"),
    _codes("payment-methods"),
    _codes("address-regions"),
    _codes("address-types"),
    _codes("artefact-statuses"),
    _codes("bank-account-types"),
    _codes("contact-person-types"),
    _codes("contact-types"),
    _codes("countries"),
    _codes("country-groups"),
    _codes("currencies"),
    _codes("financial-settings", verbs="RU", wrapper="financial_settings", is_single=True),
]
_OF_V31 = [
    *_BOTH,
    replace(_codes("companies", "/businesses"), verbs="S", description="The businesses that the user may work with."),
    replace(_codes("me", "/user"), verbs="S", is_single=True, description="The user who is logged in."),
]
# v3 has no `deleted_since`, and keeps companies and users in another API.
_OF_V3 = [replace(resource, deletes=SWEEP) if resource.deletes is not None else resource for resource in _BOTH]
