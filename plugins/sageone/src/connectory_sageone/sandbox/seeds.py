"""Fills a new sandbox with a small business, and gives it people who work in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from .people import People

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .app import SageSandbox

HISTORY = timedelta(days=90)

_WOODS = ("Birch", "Oak", "Cedar", "Rowan", "Hazel", "Alder", "Willow", "Maple", "Aspen", "Linden")
_KINDS = ("Ltd", "and Sons", "Joinery", "Supplies", "Partners")
_CITIES = ("York", "Leeds", "Bath", "Derby", "Ely")
_GOODS = ("Desk", "Shelf", "Chair", "Cabinet", "Bench", "Table", "Stool")


class Maker:
    """Makes up records, the same ones for the same seed; values are as stored."""

    def __init__(self, sandbox: SageSandbox, random: Random) -> None:
        self.sandbox = sandbox
        self.random = random

    def contact(self, number: int, kind: str) -> dict[str, Any]:
        name = f"{self.random.choice(_WOODS)} {self.random.choice(_KINDS)}"
        return {
            "name": name,
            "reference": f"{name[0]}-{number}",
            "contact_types": [self.refer("contact_types", kind)],
            "email": f"office{number}@{name.split(maxsplit=1)[0].lower()}.example",
            "credit_limit": self.random.randrange(1, 50) * 100,
            "credit_days": self.random.choice((14, 30, 60)),
            "currency": self.refer("currencies", "GBP"),
            "locale": "en-GB",
            "notes": "",
            "tax_number": None,
            "bank_account_details": {"account_name": "", "account_number": "", "sort_code": "", "bic": "", "iban": ""},
            "deletable": True,
            "system": False,
        }

    def address(self) -> dict[str, Any]:
        return {
            "name": "Main Address",
            "address_line_1": f"{self.random.randrange(1, 200)} {self.random.choice(_WOODS)} Road",
            "city": self.random.choice(_CITIES),
            "country": self.refer("countries", "GB"),
            "address_type": self.refer("address_types", "SALES"),
            "is_main_address": True,
        }

    def product(self, number: int) -> dict[str, Any]:
        return {
            "item_code": f"P{number:03}",
            "description": f"{self.random.choice(_WOODS)} {self.random.choice(_GOODS)}",
            "cost_price": self.random.randrange(10, 400),
            "active": True,
            "notes": "",
            "deletable": True,
        }

    def invoice(
        self, number: int, contact: Mapping[str, Any], product: Mapping[str, Any], day: datetime
    ) -> dict[str, Any]:
        quantity, price = self.random.randrange(1, 9), self.random.randrange(20, 500)
        net = quantity * price
        return {
            "invoice_number": f"SI-{number}",
            "contact": {key: contact[key] for key in ("id", "displayed_as", "$path")},
            "contact_name": contact["name"],
            "date": day.date().isoformat(),
            "due_date": (day + timedelta(days=30)).date().isoformat(),
            "reference": f"order {number}",
            "status": self.refer("artefact_statuses", "UNPAID"),
            "net_amount": net,
            "tax_amount": net * 0.2,
            "total_amount": net * 1.2,
            "outstanding_amount": net * 1.2,
            "invoice_lines": [
                {"description": product["description"], "quantity": quantity, "unit_price": price, "net_amount": net}
            ],
        }

    def refer(self, name: str, record_id: str) -> dict[str, str] | None:
        return self.sandbox.refer(name, record_id)


def fill(sandbox: SageSandbox, *, contacts: int, products: int, invoices: int) -> None:
    random = Random(sandbox.seed)
    maker = Maker(sandbox, random)
    now = sandbox.clock.now()
    moments = sorted(now - timedelta(seconds=random.randrange(60, int(HISTORY.total_seconds()))) for _ in range(1000))
    _accounts(sandbox, moments[0])
    for number in range(1, contacts + 1):
        _contact(sandbox, maker, number, "VENDOR" if number % 4 == 0 else "CUSTOMER", random.choice(moments))
    for number in range(1, products + 1):
        sandbox.insert("products", maker.product(number), at=random.choice(moments))
    sandbox.insert("services", {"item_code": "S1", "description": "Assembly", "active": True}, at=moments[0])
    customers = [row for row in sandbox.tables["contacts"].rows() if row["contact_types"][0]["id"] == "CUSTOMER"]
    goods = sandbox.tables["products"].rows()
    for number in range(1, invoices + 1 if customers and goods else 1):
        at = random.choice(moments)
        sandbox.insert(
            "sales_invoices", maker.invoice(number, random.choice(customers), random.choice(goods), at), at=at
        )
    for number in range(1, 4 if contacts else 1):
        values = maker.contact(number, "CUSTOMER") | {"name": f"Holding {number}"}
        sandbox.insert("contacts", values, business=1, at=moments[0])
    People(sandbox, maker).settle_in()


def _contact(sandbox: SageSandbox, maker: Maker, number: int, kind: str, at: datetime) -> None:
    address = sandbox.insert("addresses", maker.address(), at=at)
    person = sandbox.insert(
        "contact_persons", {"name": "Main Contact", "address": sandbox.refer("addresses", address["id"])}, at=at
    )
    values = maker.contact(number, kind) | {
        "main_address": sandbox.refer("addresses", address["id"]),
        "main_contact_person": sandbox.refer("contact_persons", person["id"]),
    }
    sandbox.insert("contacts", values, at=at)


def _accounts(sandbox: SageSandbox, at: datetime) -> None:
    for code, name, place in ((1200, "Bank", "banking"), (4000, "Sales", "sales"), (5000, "Purchases", "expenses")):
        sandbox.insert(
            "ledger_accounts", {"name": name, "display_name": name, "nominal_code": code, "visible_in": place}, at=at
        )
    ledger = next(iter(sandbox.tables["ledger_accounts"].written))
    account = {"name": "Current Account", "reference": "1200", "balance": 4821.5, "is_active": True}
    links = {
        "ledger_account": sandbox.refer("ledger_accounts", ledger),
        "bank_account_type": sandbox.refer("bank_account_types", "CHECKING"),
    }
    sandbox.insert("bank_accounts", account | links, at=at)
    for rate_id, name, percentage in (("GB_STANDARD", "Standard", 20), ("GB_ZERO", "Zero", 0)):
        sandbox.insert("tax_rates", {"id": rate_id, "name": name, "percentage": percentage}, at=at)
