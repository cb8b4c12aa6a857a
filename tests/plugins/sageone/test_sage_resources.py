from __future__ import annotations

import json

import pytest

from connectory.deletes import Feed, Sweep
from connectory.plans.compiling import compile_plan
from connectory.plugins import Plugins
from connectory.schemas import PollerEntrySchema
from connectory_sageone.resources import list_resources

NEWER, OLDER = list_resources({}), list_resources({"sageone.api": "v3"})
RESOURCES = {resource.name: resource for resource in NEWER}


@pytest.fixture(scope="module")
def plugins():
    return Plugins.load(["sageone"])


def test_the_plugin_is_installed(plugins):
    element = plugins.element("sageone")
    assert (element.id, element.hub) == (3458, "finance")
    assert [info.quarantined for info in plugins.infos()] == [None]


def test_the_entry_of_customers_is_the_documented_one():
    dates = {
        "updatedDateField": "updated_at",
        "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "updatedDateTimezone": "GMT",
        "createdDateField": "created_at",
        "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "createdDateTimezone": "GMT",
    }
    assert RESOURCES["customers"].poller == {
        "url": "/hubs/finance/customers?where=lastModifiedDate>='${date:yyyy-MM-dd'T'HH:mm:ss'Z'}'"
        " and attributes='created_at,updated_at'",
        "idField": "id",
        "datesConfiguration": dates,
    }


@pytest.mark.parametrize("resources", [NEWER, OLDER])
def test_every_default_entry_compiles(plugins, resources):
    polled = [resource for resource in resources if resource.poller]
    assert len(polled) >= 15
    element, known = plugins.element("sageone"), {resource.name: resource for resource in resources}
    for resource in polled:
        entry = PollerEntrySchema().load(json.loads(json.dumps(dict(resource.poller))))
        plan = compile_plan(resource.name, entry, element=element, resources=known, plugins=plugins)
        assert plan.warnings == ()
        assert plan.filters


def test_there_is_what_the_element_had():
    observed = {
        "customers": "CRUS", "vendors": "CRUS", "contacts": "RS", "contact-persons": "RS", "addresses": "RS",
        "bank-accounts": "CRUDS", "contact-allocations": "RS", "invoices": "CRUDS", "sales-credit-notes": "CRUDS",
        "purchase-credit-notes": "CRUDS", "purchase-invoices": "CRUDS", "sales-quotes": "CRUS", "payments": "CRUS",
        "other-payments": "CRUDS", "journal-entries": "CRS", "products": "CRUDS", "services": "RS",
        "product-sales-price-types": "RS", "ledger-accounts": "CRUS", "tax-rates": "CRUS", "tax-codes": "RS",
        "tax-profiles": "RS", "live-exchange-rates": "RS", "payment-methods": "RS", "address-regions": "RS",
        "address-types": "RS", "artefact-statuses": "RS", "bank-account-types": "RS", "contact-person-types": "RS",
        "contact-types": "RS", "countries": "RS", "country-groups": "RS", "currencies": "RS", "companies": "S",
        "me": "S", "financial-settings": "RU",
    }  # fmt: skip
    assert {resource.name: resource.verbs for resource in NEWER} == observed


def test_what_is_written_has_a_wrapper():
    written = [resource for resource in NEWER if set(resource.verbs) & set("CU")]
    assert all(resource.wrapper for resource in written)
    assert {resource.name for resource in NEWER if resource.is_voided} == {
        "invoices", "sales-credit-notes", "purchase-invoices", "purchase-credit-notes",
    }  # fmt: skip


def test_customers_and_vendors_are_contacts():
    for name, kind in (("customers", "CUSTOMER"), ("vendors", "VENDOR")):
        assert (RESOURCES[name].path, RESOURCES[name].params) == ("/contacts", (("contact_type_id", kind),))


def test_how_deletions_are_found():
    kinds = {resource.name: type(resource.deletes) for resource in NEWER if resource.deletes}
    assert kinds["customers"] is kinds["invoices"] is kinds["journal-entries"] is Feed
    assert kinds["sales-quotes"] is kinds["ledger-accounts"] is Sweep
    assert {type(resource.deletes) for resource in OLDER if resource.deletes} == {Sweep}


def test_names_are_there_once():
    assert len({resource.name for resource in NEWER}) == len(NEWER)
    assert {resource.name for resource in NEWER} - {resource.name for resource in OLDER} == {"companies", "me"}
