"""The people who keep the books: each step is one change that a person would make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from connectory.sandbox import Row

    from .app import SageSandbox
    from .seeds import Maker


class People:
    def __init__(self, sandbox: SageSandbox, maker: Maker) -> None:
        self._sandbox = sandbox
        self._maker = maker

    def settle_in(self) -> None:
        """Make these people the steps of the sandbox."""
        for act, weight in (
            (self._win_customer, 18),
            (self._find_vendor, 4),
            (self._edit_contact, 22),
            (self._write_invoice, 20),
            (self._take_payment, 12),
            (self._void_invoice, 2),
            (self._add_product, 6),
            (self._reprice, 12),
            (self._lose_contact, 3),
        ):
            self._sandbox.habit(self._doing(act), weight)

    def _doing(self, act: Callable[[], str | None]) -> Callable[[Random], str]:
        def step(random: Random) -> str:
            self._maker.random = random
            # If an action finds no record to change, take one that always works.
            return act() or self._win_customer()

        return step

    def _any(self, name: str, wanted: Callable[[Row], bool] = lambda row: True) -> Row | None:
        rows = [row for row in self._sandbox.tables[name].written.values() if wanted(row)]
        return self._maker.random.choice(rows) if rows else None

    def _created(self, name: str, values: dict[str, Any]) -> str:
        return f"created {name} {self._sandbox.insert(name, values)['id']}"

    def _updated(self, name: str, row: Row, values: dict[str, Any]) -> str:
        self._sandbox.update(name, row["id"], values)
        return f"updated {name} {row['id']}"

    def _win_customer(self) -> str:
        return self._created("contacts", self._maker.contact(self._count("contacts"), "CUSTOMER"))

    def _find_vendor(self) -> str:
        return self._created("contacts", self._maker.contact(self._count("contacts"), "VENDOR"))

    def _edit_contact(self) -> str | None:
        contact = self._any("contacts")
        notes = self._maker.random.choice(("pays late", "wants oak", "call in the morning", "moved to York"))
        limit = self._maker.random.randrange(1, 90) * 100
        return None if contact is None else self._updated("contacts", contact, {"notes": notes, "credit_limit": limit})

    def _write_invoice(self) -> str | None:
        customer, product = self._any("contacts", _is_customer), self._any("products")
        if customer is None or product is None:
            return None
        now = self._sandbox.clock.now()
        values = self._maker.invoice(self._count("sales_invoices"), customer, product, now)
        return self._created("sales_invoices", values)

    def _take_payment(self) -> str | None:
        invoice = self._any("sales_invoices", lambda row: row["status"]["id"] == "UNPAID")
        if invoice is None:
            return None
        self._updated("sales_invoices", invoice, {"status": self._status("PAID"), "outstanding_amount": 0})
        payment = {
            "transaction_type": self._sandbox.refer("transaction_types", "CUSTOMER_RECEIPT"),
            "contact": invoice["contact"],
            "bank_account": self._sandbox.refer(
                "bank_accounts", next(iter(self._sandbox.tables["bank_accounts"].written))
            ),
            "date": self._sandbox.clock.now().date().isoformat(),
            "total_amount": invoice["total_amount"],
            "reference": invoice["invoice_number"],
        }
        return self._created("contact_payments", payment)

    def _void_invoice(self) -> str | None:
        invoice = self._any("sales_invoices", lambda row: row["status"]["id"] == "UNPAID")
        if invoice is None:
            return None
        self._sandbox.void("sales_invoices", invoice["id"], "written twice")
        return f"updated sales_invoices {invoice['id']}"

    def _add_product(self) -> str:
        return self._created("products", self._maker.product(self._count("products")))

    def _reprice(self) -> str | None:
        product = self._any("products")
        return (
            None
            if product is None
            else self._updated("products", product, {"cost_price": self._maker.random.randrange(10, 400)})
        )

    def _lose_contact(self) -> str | None:
        # Sage deletes only contacts that no invoice refers to.
        used = {row["contact"]["id"] for row in self._sandbox.tables["sales_invoices"].written.values()}
        contact = self._any("contacts", lambda row: row["id"] not in used)
        if contact is None:
            return None
        self._sandbox.delete("contacts", contact["id"])
        return f"deleted contacts {contact['id']}"

    def _count(self, name: str) -> int:
        return self._sandbox.tables[name].made + 1

    def _status(self, code: str) -> dict[str, str] | None:
        return self._sandbox.refer("artefact_statuses", code)


def _is_customer(row: Row) -> bool:
    return any(one["id"] == "CUSTOMER" for one in row["contact_types"])
