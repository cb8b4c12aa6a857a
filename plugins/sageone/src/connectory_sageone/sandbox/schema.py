"""The collections of records: their paths, singular names, display names and filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Collection:
    """`display` makes a record's `displayed_as`. `searched` are the fields that `search` looks at, `filters` maps a
    parameter to the field that it is compared with, `required` are the fields that a POST needs, and `lines` is the
    field of its lines."""

    path: str
    wrapper: str
    display: Callable[[Record], str]
    searched: tuple[str, ...] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    lines: str = ""
    is_voided: bool = False
    is_sorted: bool = False
    tells_deleted: bool = True
    has_business_date: bool = False

    @property
    def name(self) -> str:
        return self.path.removeprefix("/")


def named(record: Record) -> str:
    """`Name (REF)`, or the plain name."""
    reference = record.get("reference") or record.get("item_code") or record.get("nominal_code")
    name = record.get("name") or record.get("description") or record.get("reference") or ""
    return f"{name} ({reference})" if reference and reference != name else str(name)


def _numbered(field: str) -> Callable[[Record], str]:
    return lambda record: str(record.get(field) or record.get("reference") or "")


def _described(record: Record) -> str:
    return str(record.get("description") or record.get("name") or "")


_ARTEFACT_FILTERS = {"contact_id": "contact", "status_id": "status"}
_PAYMENT_FILTERS = {
    "contact_id": "contact",
    "bank_account_id": "bank_account",
    "transaction_type_id": "transaction_type",
}


def _artefact(path: str, wrapper: str, number: str, lines: str, *required: str) -> Collection:
    return Collection(
        path=path,
        wrapper=wrapper,
        display=_numbered(number),
        searched=("contact_name", "reference"),
        filters=_ARTEFACT_FILTERS,
        required=("contact_id", "date", *required),
        lines=lines,
        is_voided=wrapper != "sales_quote",
        is_sorted=True,
        tells_deleted=wrapper != "sales_quote",
        has_business_date=True,
    )


def _payment(path: str, wrapper: str, *required: str) -> Collection:
    return Collection(
        path=path,
        wrapper=wrapper,
        display=_numbered("reference"),
        filters=_PAYMENT_FILTERS,
        required=required,
        is_sorted=True,
        has_business_date=True,
    )


COLLECTIONS = (
    Collection(
        path="/contacts",
        wrapper="contact",
        display=named,
        searched=("name", "reference"),
        filters={"contact_type_id": "contact_types", "email": "email"},
        required=("name", "contact_type_ids"),
    ),
    Collection(
        path="/contact_persons",
        wrapper="contact_person",
        display=lambda record: str(record.get("name")),
        filters={"address_id": "address"},
        required=("address_id", "name", "contact_person_type_ids"),
    ),
    Collection(
        path="/addresses",
        wrapper="address",
        display=lambda record: ", ".join(str(record[key]) for key in ("address_line_1", "city") if record.get(key)),
        required=("address_type_id", "name", "is_main_address"),
    ),
    Collection(
        path="/products",
        wrapper="product",
        display=lambda record: (
            f"{_described(record)} ({record.get('item_code')})" if record.get("item_code") else _described(record)
        ),
        searched=("item_code", "description"),
        filters={"active": "active"},
        required=("description", "sales_ledger_account_id", "purchase_ledger_account_id"),
    ),
    Collection(
        path="/services",
        wrapper="service",
        display=_described,
        searched=("item_code", "description"),
        filters={"active": "active"},
        required=("description", "sales_ledger_account_id"),
    ),
    _artefact("/sales_invoices", "sales_invoice", "invoice_number", "invoice_lines", "invoice_lines"),
    _artefact("/sales_credit_notes", "sales_credit_note", "credit_note_number", "credit_note_lines"),
    _artefact("/purchase_invoices", "purchase_invoice", "vendor_reference", "invoice_lines"),
    _artefact("/purchase_credit_notes", "purchase_credit_note", "vendor_reference", "credit_note_lines"),
    _artefact("/sales_quotes", "sales_quote", "quote_number", "quote_lines", "expiry_date"),
    _payment(
        "/contact_payments",
        "contact_payment",
        "transaction_type_id",
        "contact_id",
        "bank_account_id",
        "date",
        "total_amount",
    ),
    _payment("/other_payments", "other_payment", "transaction_type_id", "date", "total_amount"),
    _payment("/contact_allocations", "contact_allocation"),
    Collection(
        path="/journals",
        wrapper="journal",
        display=_numbered("reference"),
        required=("date", "reference"),
        lines="journal_lines",
        has_business_date=True,
    ),
    Collection(
        path="/bank_accounts",
        wrapper="bank_account",
        display=named,
        required=("bank_account_type_id",),
    ),
    Collection(
        path="/ledger_accounts",
        wrapper="ledger_account",
        display=named,
        searched=("name",),
        filters={"visible_in": "visible_in", "ledger_account_type_id": "ledger_account_type"},
        required=("ledger_account_type_id", "included_in_chart", "name", "display_name", "nominal_code"),
        tells_deleted=False,
    ),
    Collection(
        path="/tax_rates",
        wrapper="tax_rate",
        display=lambda record: f"{record.get('name')} {record.get('percentage', '0')}%",
        required=("name",),
        tells_deleted=False,
    ),
)

CODES: Mapping[str, Mapping[str, str]] = {
    "contact_types": {"CUSTOMER": "Customer", "VENDOR": "Vendor"},
    "contact_person_types": {"ACCOUNTS": "Accounts", "SALES": "Sales"},
    "address_types": {"SALES": "Sales", "DELIVERY": "Delivery"},
    "address_regions": {"GB-YOR": "Yorkshire", "GB-LND": "London"},
    "artefact_statuses": {
        "UNPAID": "Unpaid",
        "PART_PAID": "Part Paid",
        "PAID": "Paid",
        "DRAFT": "Draft",
        "VOID": "Void",
        "PRO_FORMA": "Pro Forma",
    },
    "bank_account_types": {"CHECKING": "Current", "SAVINGS": "Savings"},
    "countries": {"GB": "United Kingdom (GB)", "IE": "Ireland (IE)", "US": "United States (US)"},
    "country_groups": {"GBIE": "United Kingdom and Ireland"},
    "currencies": {"GBP": "Pound Sterling (GBP)", "EUR": "Euro (EUR)", "USD": "US Dollar (USD)"},
    "payment_methods": {"CASH": "Cash", "CHECK": "Cheque", "CREDIT_DEBIT": "Card"},
    "product_sales_price_types": {"SALES_PRICE": "Sales Price", "TRADE": "Trade"},
    "tax_types": {"GB_VAT": "VAT"},
    "tax_profiles": {"GB_DEFAULT": "VAT Standard"},
    "transaction_types": {
        "CUSTOMER_RECEIPT": "Customer Receipt",
        "VENDOR_PAYMENT": "Vendor Payment",
        "OTHER_PAYMENT": "Other Payment",
        "OTHER_RECEIPT": "Other Receipt",
    },
}

REFERENCES = {
    "contact": "contacts",
    "address": "addresses",
    "main_address": "addresses",
    "main_contact_person": "contact_persons",
    "bank_account": "bank_accounts",
    "ledger_account": "ledger_accounts",
    "sales_ledger_account": "ledger_accounts",
    "purchase_ledger_account": "ledger_accounts",
    "product": "products",
    "service": "services",
    "tax_rate": "tax_rates",
    "contact_type": "contact_types",
    "contact_person_type": "contact_person_types",
    "address_type": "address_types",
    "status": "artefact_statuses",
    "bank_account_type": "bank_account_types",
    "ledger_account_type": "ledger_account_types",
    "country": "countries",
    "currency": "currencies",
    "transaction_type": "transaction_types",
    "product_sales_price_type": "product_sales_price_types",
}
"""The table that a field `<name>_id` of a write refers to."""

AMOUNTS = {
    "net_amount", "tax_amount", "total_amount", "outstanding_amount", "credit_limit", "unit_price", "quantity",
    "discount_amount", "cost_price", "price", "balance", "percentage", "debit", "credit", "exchange_rate", "amount",
}  # fmt: skip
"""Numbers that Sage sends as text, although its specification says numbers."""
