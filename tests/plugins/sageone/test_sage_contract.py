"""Sage One keeps the contract of all elements: by records that are told when deleted, voided, or only swept for."""

from __future__ import annotations

import connectory_sageone.plugin
from connectory.testing import ElementContract
from connectory_sageone.sandbox import SageSwitches, create_sandbox

COLLECTIONS = {
    "customers": "contacts",
    "invoices": "sales_invoices",
    "products": "products",
    "sales-quotes": "sales_quotes",
}


class TestSageOne(ElementContract):
    plugin = connectory_sageone.plugin
    element = "sageone"
    resources = tuple(COLLECTIONS)
    may_skip = ("test_order_of_a_keyset_holds",)

    def open_sandbox(self, plugins, element):
        return create_sandbox(contacts=4, products=2, invoices=2)

    def create(self, sandbox, resource):
        values = {"displayed_as": "New", "reference": f"R{sandbox.log.total}"}
        if resource == "customers":
            values |= {"name": "New", "contact_types": [sandbox.refer("contact_types", "CUSTOMER")]}
        return sandbox.insert(COLLECTIONS[resource], values)["id"]

    def update(self, sandbox, resource, record_id):
        sandbox.update(COLLECTIONS[resource], record_id, {"reference": f"C{sandbox.log.total}"})

    def delete(self, sandbox, resource, record_id):
        sandbox.delete(COLLECTIONS[resource], record_id)


class TestSageOneOfV3(TestSageOne):
    resources = ("customers",)

    def open_sandbox(self, plugins, element):
        switches = SageSwitches(api="v3", country="us", needs_signature=True)
        return create_sandbox(contacts=4, products=2, invoices=2, switches=switches)
