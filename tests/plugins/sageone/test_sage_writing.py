from __future__ import annotations

import doctest
import json

import pytest

from connectory.errors import ConfigurationError, ProviderError
from connectory_sageone import writing
from connectory_sageone.resources import list_resources

RESOURCES = {resource.name: resource for resource in list_resources({})}


def body(request) -> dict:
    return json.loads(request.body)


@pytest.fixture
def client(books):
    return books.app.parts.runtimes.get(books.create()).client


def reference(path: str, record_id: str) -> dict:
    return {"id": record_id, "displayed_as": "X", "$path": f"/{path}/{record_id}"}


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ({"name": "Ann", "id": "1", "displayed_as": "Ann", "$path": "/contacts/1"}, {"name": "Ann"}),
        ({"created_at": "x", "updated_at": "x", "lastModifiedDate": "x", "legacy_id": 3, "deletable": True}, {}),
        ({"currency": reference("currencies", "GBP")}, {"currency_id": "GBP"}),
        ({"currency": reference("currencies", "GBP"), "currency_id": "EUR"}, {"currency_id": "GBP"}),
        ({"contact_types": [reference("contact_types", "VENDOR")]}, {"contact_type_ids": ["VENDOR"]}),
        ({"main_address": reference("addresses", "a")}, {}),
        (
            {"main_address": {"city": "York", "country": reference("countries", "GB")}},
            {"main_address": {"city": "York", "country_id": "GB"}},
        ),
        ({"bank_account_details": {"iban": "x"}}, {"bank_account_details": {"iban": "x"}}),
        (
            {"invoice_lines": [{"id": "9", "quantity": 1, "product": reference("products", "p")}]},
            {"invoice_lines": [{"quantity": 1, "product_id": "p"}]},
        ),
        (
            {"tags": ["a", 1, None], "nothing": None, "empty": []},
            {"tags": ["a", 1, None], "nothing": None, "empty": []},
        ),
    ],
)
def test_records_as_they_are_written(read, written):
    assert writing.written(read) == written


def test_a_customer_is_wrapped_and_told_what_it_is():
    assert body(writing.create(RESOURCES["customers"], {"name": "Ann"})) == {
        "contact": {"name": "Ann", "contact_type_ids": ["CUSTOMER"]}
    }
    both = {"name": "Ann", "contact_type_ids": ["VENDOR", "CUSTOMER"]}
    assert body(writing.create(RESOURCES["vendors"], both)) == {"contact": both}


def test_settings_keep_their_plural_and_have_no_id():
    request = writing.update(RESOURCES["financial-settings"], "", {"year_end_date": "2024-12-31"})
    assert (request.path, body(request)) == (
        "/financial_settings",
        {"financial_settings": {"year_end_date": "2024-12-31"}},
    )


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: writing.create(RESOURCES["contacts"], {}), "contacts cannot be created"),
        (lambda: writing.update(RESOURCES["journal-entries"], "1", {}), "journal-entries cannot be updated"),
        (lambda: writing.delete(RESOURCES["ledger-accounts"], "1"), "ledger-accounts cannot be deleted"),
        (lambda: writing.delete(RESOURCES["invoices"], "1"), "needs a reason"),
        (lambda: writing.delete(RESOURCES["invoices"], "1", (("void_reason", ""),)), "needs a reason"),
    ],
)
def test_what_cannot_be_written(action, message):
    with pytest.raises(ConfigurationError, match=message):
        action()


def test_writing_against_the_sandbox(client, books):
    customers, invoices, products = (RESOURCES[name] for name in ("customers", "invoices", "products"))
    ann = client.send(writing.create(customers, {"name": "Ann", "reference": "A-1", "credit_limit": 500})).json()
    assert (ann["displayed_as"], ann["credit_limit"], ann["contact_types"][0]["id"]) == (
        "Ann (A-1)",
        "500.0",
        "CUSTOMER",
    )
    changed = client.send(writing.update(customers, ann["id"], ann | {"name": "Anna"})).json()
    assert (changed["displayed_as"], changed["reference"]) == ("Anna (A-1)", "A-1")
    line = {"description": "Desk", "quantity": 2, "unit_price": 30}
    made = client.send(
        writing.create(invoices, {"contact_id": ann["id"], "date": "2024-05-01", "invoice_lines": [line]})
    ).json()
    assert (made["status"]["id"], made["total_amount"], made["contact"]["id"]) == ("UNPAID", "60.0", ann["id"])
    void = client.send(writing.delete(invoices, made["id"], (("void_reason", "twice"),))).json()
    assert (void["status"]["id"], void["void_reason"]) == ("VOID", "twice")
    product = next(iter(books.sandbox.tables["products"].written))
    assert client.send(writing.delete(products, product)).status == 204
    with pytest.raises(ProviderError, match="refused the record"):
        client.send(writing.create(customers, {"reference": "nameless"}))


def test_examples_run():
    assert doctest.testmod(writing).failed == 0
