"""The fake Sage behaves as `sageone.md` says the real one does."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client as Browser

from connectory_sageone.sandbox import SageSwitches, create_sandbox
from connectory_sageone.sandbox.switches import BUSINESSES, SITE, SUBSCRIPTION_KEY

BASE_KEYS = ["id", "displayed_as", "$path"]


def names(page: dict) -> list[str]:
    return [item["displayed_as"] for item in page["$items"]]


def ids(page: dict) -> list[str]:
    return [item["id"] for item in page["$items"]]


# Logging in


def test_a_code_has_its_country_in_front_and_is_encoded(sandbox, caller):
    query = (
        "client_id=sandbox-client&response_type=code&redirect_uri=http://127.0.0.1:5000/done&filter=apiv3.1&state=s1"
    )
    answer = sandbox.consent(f"http://127.0.0.1:8091/oauth2/auth/central?{query}")
    assert "code=GB%2F" in answer
    assert parse_qs(urlsplit(answer).query).keys() == {"code", "country", "state"}


def test_the_page_with_the_flags_is_not_there(sandbox):
    with pytest.raises(RuntimeError, match=r"filter=apiv3\.1 or country is missing"):
        sandbox.consent("http://127.0.0.1:8091/oauth2/auth/central?client_id=sandbox-client&response_type=code")


def test_tokens_look_like_sages(caller):
    token = caller.log_in()
    assert (token["expires_in"], token["token_type"], token["scope"]) == (300, "bearer", "full_access")
    assert token["refresh_token_expires_in"] == 2_678_400
    assert len(token["requested_by_id"]) == 36
    assert 1000 < len(token["access_token"]) < 2048
    claims = token["access_token"].split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert decoded["exp"] - decoded["iat"] == 300
    assert decoded["country"] == "gb"


def test_access_ends_after_five_minutes(caller, clock):
    assert caller.call("/contacts").status_code == 200
    clock.advance(300)
    reply = caller.call("/contacts")
    assert (reply.status_code, reply.json[0]["$dataCode"]) == (401, "AuthorizationFailure")
    assert set(reply.json[0]) == {"$severity", "$dataCode", "$message", "$source"}


def test_a_code_is_good_once_and_for_a_minute(caller, clock):
    form = caller.code_form()
    assert caller.post("/token", form).status_code == 200
    assert (caller.post("/token", form).status_code, caller.post("/token", form).json["error"]) == (
        400,
        "invalid_grant",
    )
    late = caller.code_form()
    clock.advance(60)
    assert caller.post("/token", late).json["error"] == "invalid_grant"


def test_refresh_tokens_rotate_and_end_after_a_month(caller, clock):
    old = caller.log_in()["refresh_token"]
    renewed = caller.post("/token", {"grant_type": "refresh_token", "refresh_token": old}).json
    assert renewed["refresh_token"] != old
    replay = caller.post("/token", {"grant_type": "refresh_token", "refresh_token": old})
    assert (replay.status_code, replay.json["error"]) == (400, "invalid_grant")
    clock.advance(timedelta(days=31))
    late = caller.post("/token", {"grant_type": "refresh_token", "refresh_token": renewed["refresh_token"]})
    assert late.json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong", "grant_type": "refresh_token"}, "invalid_client"),
        ({"client_id": "wrong", "grant_type": "refresh_token"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_grant"),
    ],
)
def test_the_token_endpoint_fails_with_400(caller, form, error):
    reply = caller.post("/token", form)
    assert (reply.status_code, reply.json["error"]) == (400, error)


def test_the_client_identifies_itself_in_the_body(caller):
    reply = caller.browser.post("/token", data=caller.code_form(), auth=("sandbox-client", "sandbox-secret"))
    assert reply.json["error"] == "invalid_client"


def test_revoking_takes_the_refresh_token(caller):
    token = caller.log_in()["refresh_token"]
    assert caller.post("/revoke", {"token": token}).json == {"success": "ok"}
    assert caller.post("/token", {"grant_type": "refresh_token", "refresh_token": token}).status_code == 400
    assert caller.call("/contacts").status_code == 200


def test_a_login_may_be_read_only(sandbox, clock):
    from books import Caller

    caller = Caller(sandbox, clock, scope="readonly")
    assert caller.call("/contacts").status_code == 200
    assert caller.call("/contacts", "POST", json={"contact": {"name": "x"}}).status_code == 403


# Lists


def test_the_envelope(caller):
    page = caller.get("/contacts")
    assert page.keys() == {"$total", "$page", "$next", "$back", "$itemsPerPage", "$items"}
    assert (page["$total"], page["$page"], page["$itemsPerPage"], len(page["$items"])) == (45, 1, 20, 20)
    assert (page["$next"], page["$back"]) == ("/contacts?page=2&items_per_page=20", None)


def test_links_are_relative_and_repeat_the_other_parameters(caller):
    page = caller.get("/contacts", page=2, items_per_page=10, attributes="name", search="")
    assert page["$next"] == "/contacts?page=3&items_per_page=10&attributes=name&search="
    assert page["$back"].startswith("/contacts?page=1&")
    assert caller.get("/contacts", page=5, items_per_page=10)["$next"] is None


def test_a_page_past_the_end_is_the_last_one_again(caller):
    last = caller.get("/contacts", page=3)
    assert len(last["$items"]) == 5
    assert caller.get("/contacts", page=4) == caller.get("/contacts", page=99) == last
    assert caller.get("/journals", page=7)["$items"] == []


@pytest.mark.parametrize(("asked", "given"), [("1", 1), ("0", 1), ("200", 200), ("1000", 200)])
def test_pages_hold_200_at_most(caller, asked, given):
    assert caller.get("/contacts", items_per_page=asked)["$itemsPerPage"] == given


def test_items_are_bare_unless_attributes_are_asked_for(caller):
    assert list(caller.get("/contacts")["$items"][0]) == BASE_KEYS
    two = caller.get("/contacts", attributes="created_at,updated_at")["$items"][0]
    assert list(two) == [*BASE_KEYS, "created_at", "updated_at"]
    assert two["updated_at"].endswith("Z")
    whole = caller.get("/contacts", attributes="all")["$items"][0]
    assert {"name", "contact_types", "currency", "main_address", "credit_limit"} <= whole.keys()
    assert not [name for name in whole if name.startswith("_")]
    one = caller.get(f"/contacts/{whole['id']}")
    assert one == whole
    assert list(caller.get(f"/contacts/{whole['id']}", attributes="name")) == [*BASE_KEYS, "name"]


def test_nested_attributes_open_references(caller):
    contact = caller.get("/contacts", attributes="all")["$items"][0]
    opened = caller.get(f"/contacts/{contact['id']}", nested_attributes="city")
    assert list(contact["main_address"]) == BASE_KEYS
    assert list(opened["main_address"]) == [*BASE_KEYS, "city"]


def test_legacy_ids_show_on_demand(caller):
    assert isinstance(caller.get("/contacts", show_legacy_id="true")["$items"][0]["legacy_id"], int)
    assert "legacy_id" not in caller.get("/contacts", attributes="all")["$items"][0]


def test_amounts_are_text_and_other_numbers_are_not(caller):
    contact = caller.get("/contacts", attributes="credit_limit,credit_days")["$items"][0]
    assert isinstance(contact["credit_limit"], str)
    assert isinstance(contact["credit_days"], int)
    line = caller.get("/sales_invoices", attributes="all")["$items"][0]["invoice_lines"][0]
    assert isinstance(line["unit_price"], str)


def test_filters(caller, sandbox):
    customers = caller.get("/contacts", contact_type_id="CUSTOMER", items_per_page=200)
    vendors = caller.get("/contacts", contact_type_id="VENDOR", items_per_page=200)
    assert customers["$total"] + vendors["$total"] == 45
    name = names(customers)[0]
    assert name in names(caller.get("/contacts", search=name.split(" (")[0].lower()))
    assert caller.get("/contacts", search="nobody is called so")["$total"] == 0
    assert caller.get("/sales_invoices", status_id="PAID")["$total"] == 0
    assert caller.get("/sales_invoices", from_date="2999-01-01")["$total"] == 0
    assert caller.get("/ledger_accounts", visible_in="banking")["$total"] == 1
    assert caller.get("/products", active="true")["$total"] == 3
    assert caller.get("/contacts", unknown="x")["$total"] == 45


def test_since_is_inclusive(caller, sandbox, clock):
    clock.advance(10)
    made = sandbox.insert("contacts", {"name": "Z"})
    stamp = made["updated_at"]
    assert ids(caller.get("/contacts", updated_or_created_since=stamp)) == [made["id"]]
    assert caller.get("/contacts", updated_or_created_since="2024-05-01T12:00:11Z")["$total"] == 0
    offset = caller.get("/contacts", updated_or_created_since="2024-05-01T14:00:10+02:00")
    assert ids(offset) == [made["id"]]
    assert caller.get("/contacts", updated_or_created_since="2024-05-01")["$total"] >= 1
    # A plus that was not encoded.
    reply = caller.call("/contacts?updated_or_created_since=2024-05-01T14:00:10+02:00")
    assert (reply.status_code, reply.json[0]["$source"]) == (422, "updated_or_created_since")


def test_deleted_since_is_exclusive_and_shows_the_moment(caller, sandbox, clock):
    contact = caller.get("/contacts")["$items"][0]["id"]
    clock.advance(10)
    gone = sandbox.delete("contacts", contact)
    assert caller.get("/contacts", deleted_since=gone["deleted_at"])["$total"] == 0
    page = caller.get("/contacts", deleted_since="2024-05-01T12:00:09Z")
    assert page["$items"] == [{key: gone[key] for key in [*BASE_KEYS, "deleted_at"]}]
    assert contact not in ids(caller.get("/contacts", items_per_page=200))
    assert caller.call(f"/contacts/{contact}").status_code == 404
    # Where it is not known, it is ignored as any other parameter.
    assert caller.get("/ledger_accounts", deleted_since="2024-05-01T12:00:09Z")["$total"] == 3


def test_sorting_works_for_artefacts_only(caller):
    rising = ids(caller.get("/sales_invoices", sort="created_at:asc"))
    assert ids(caller.get("/sales_invoices", sort="created_at:desc")) == rising[::-1]
    assert ids(caller.get("/contacts", sort="created_at:desc")) == ids(caller.get("/contacts"))


def test_there_are_no_customers(caller):
    reply = caller.call("/customers")
    assert (reply.status_code, reply.json[0]["$severity"]) == (404, "error")


def test_code_tables(caller):
    assert ids(caller.get("/contact_types")) == ["CUSTOMER", "VENDOR"]
    assert caller.get("/currencies/GBP")["displayed_as"] == "Pound Sterling (GBP)"
    assert caller.get("/countries/GB")["$path"] == "/countries/GB"
    assert caller.call("/currencies/XXX").status_code == 404


# Writes


def test_bodies_are_wrapped_json(caller):
    assert caller.call("/contacts", "POST", json={"name": "Ann"}).status_code == 422
    assert caller.call("/contacts", "POST", data={"contact[name]": "Ann"}).status_code == 415
    reply = caller.call("/contacts", "POST", json={"contact": {"reference": "x"}})
    assert {error["$source"] for error in reply.json} == {"contact[name]", "contact[contact_type_ids]"}


def test_records_are_created_changed_and_deleted(caller, clock):
    address = {"city": "York", "country_id": "GB"}
    body = {"contact": {"name": "Ann", "contact_type_ids": ["CUSTOMER"], "credit_limit": 12.5, "main_address": address}}
    reply = caller.call("/contacts", "POST", json=body)
    made = reply.json
    assert (reply.status_code, made["credit_limit"], made["contact_types"][0]["displayed_as"]) == (
        201,
        "12.5",
        "Customer",
    )
    assert made["main_address"]["country"]["id"] == "GB"
    clock.advance(5)
    changed = caller.call(f"/contacts/{made['id']}", "PUT", json={"contact": {"notes": "n", "updated_at": "1999"}})
    assert (changed.status_code, changed.json["name"], changed.json["updated_at"]) == (
        200,
        "Ann",
        "2024-05-01T12:00:05Z",
    )
    deleted = caller.call(f"/contacts/{made['id']}", "DELETE")
    assert (deleted.status_code, deleted.data) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        assert caller.call(f"/contacts/{made['id']}", method, json={"contact": {}}).status_code == 404


def test_references_must_point_somewhere(caller):
    reply = caller.call("/contacts", "POST", json={"contact": {"name": "A", "contact_type_ids": ["FRIEND"]}})
    assert reply.json[0]["$source"] == "contact[contact_type_ids]"


def test_a_vendor_is_no_customer(caller):
    vendor = caller.get("/contacts", contact_type_id="VENDOR")["$items"][0]["id"]
    line = {"description": "x", "quantity": 1, "unit_price": 1}
    body = {"sales_invoice": {"contact_id": vendor, "date": "2024-05-01", "invoice_lines": [line]}}
    reply = caller.call("/sales_invoices", "POST", json=body)
    assert (reply.status_code, reply.json[0]["$message"]) == (422, "customer not found")


def test_invoices_are_made_void(caller):
    invoice = caller.get("/sales_invoices")["$items"][0]["id"]
    assert caller.call(f"/sales_invoices/{invoice}", "DELETE").status_code == 422
    reply = caller.call(f"/sales_invoices/{invoice}?void_reason=twice", "DELETE")
    assert (reply.status_code, reply.json["status"]["id"], reply.json["void_reason"]) == (200, "VOID", "twice")
    assert caller.get(f"/sales_invoices/{invoice}")["status"]["id"] == "VOID"


def test_an_idempotency_id_makes_one_record(caller):
    body = {"contact": {"name": "Ann", "contact_type_ids": ["CUSTOMER"], "idempotency_id": "0" * 32}}
    first, second = (caller.call("/contacts", "POST", json=body).json["id"] for _ in range(2))
    assert first == second
    assert caller.get("/contacts")["$total"] == 46


def test_ledger_accounts_stay(caller):
    account = caller.get("/ledger_accounts")["$items"][0]["id"]
    assert caller.call(f"/ledger_accounts/{account}", "DELETE").status_code == 405


# Businesses


def test_the_business_that_answers_is_named(caller, sandbox):
    assert caller.call("/contacts").headers["X-Business"] == BUSINESSES[0]
    assert "X-Request-Id" in caller.call("/contacts").headers
    for path in ("/user", "/businesses"):
        assert "X-Business" not in caller.call(path).headers
    assert caller.get("/businesses/lead")["id"] == BUSINESSES[0]
    businesses = caller.get("/businesses")
    assert (businesses["$items_per_page"], ids(businesses)) == (2147483647, list(BUSINESSES))
    assert caller.get("/user")["email"] == "ann@example.com"


def test_another_business_has_other_records(caller, sandbox):
    other = {"X-Business": BUSINESSES[1]}
    assert caller.call("/contacts", headers=other).json["$total"] == 3
    contact = caller.get("/contacts")["$items"][0]["id"]
    assert caller.call(f"/contacts/{contact}", headers=other).status_code == 404
    assert caller.call("/contacts", headers={"X-Business": "nobodys"}).status_code == 403
    sandbox.switches = SageSwitches(lead=1, closed_businesses=(0,))
    assert caller.call("/contacts").headers["X-Business"] == BUSINESSES[1]
    assert caller.call("/contacts", headers={"X-Business": BUSINESSES[0]}).status_code == 403


# Bad days


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("no_subscription", 401, "AuthorizationFailure"),
        ("role_too_low", 403, "MultiUserAccessDenied"),
        ("rate_limited", 429, "TooManyRequests"),
        ("server_error", 500, "UnexpectedError"),
        ("unavailable", 503, "UnexpectedError"),
    ],
)
def test_faults_are_in_sages_words(caller, sandbox, fault, status, code):
    sandbox.break_with([fault])
    reply = caller.call("/contacts")
    assert (reply.status_code, reply.json[0]["$dataCode"]) == (status, code)


def test_pages_may_leave_out_what_they_know(caller, sandbox):
    sandbox.switches = SageSwitches(next_missing=True, counts_nothing=True)
    page = caller.get("/contacts")
    assert (page["$next"], "$total" in page) == (None, False)


def test_people_work(caller, sandbox, clock):
    clock.advance(5)
    done = [sandbox.step().split() for _ in range(60)]
    assert {change for change, _, _ in done} == {"created", "updated", "deleted"}
    assert {"contacts", "sales_invoices", "products", "contact_payments"} <= {table for _, table, _ in done}
    for change, table, record in done[-5:]:
        assert caller.call(f"/{table}/{record}").status_code == (404 if change == "deleted" else 200)


def test_the_same_seed_makes_the_same_business(clock):
    def contents(seed):
        made = create_sandbox(clock=clock, seed=seed, contacts=3, products=1, invoices=1)
        return [made.step() for _ in range(5)], made.tables["contacts"].rows()

    assert contents(1) == contents(1)
    assert contents(1) != contents(2)


# v3


def test_v3_wants_a_key_a_site_and_maybe_a_signature(clock):
    from werkzeug.test import Client as Browser

    sandbox = create_sandbox(clock=clock, contacts=2, switches=SageSwitches(api="v3", country="us"))
    browser = Browser(sandbox)
    redirect = "http://127.0.0.1:5000/done"
    query = f"client_id=sandbox-client&response_type=code&redirect_uri={redirect}"
    answer = parse_qs(urlsplit(sandbox.consent(f"http://127.0.0.1:8091/oauth2/auth?{query}")).query)
    assert answer["country"] == ["US"]
    form = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": redirect}
    token = browser.post(
        "/us/token", data=form | {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    ).json
    assert (token["expires_in"], token["resource_owner_id"]) == (3600, SITE)

    def status(**headers) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {token['access_token']}"
        return browser.get("/us/sageone/accounts/v3/contacts", headers=named).status_code

    key = {"ocp_apim_subscription_key": SUBSCRIPTION_KEY}
    assert (status(), status(**key), status(**key, X_Site="x"), status(**key, X_Site=SITE)) == (401, 403, 403, 200)
    sandbox.switches = SageSwitches(api="v3", country="us", needs_signature=True)
    assert status(**key, X_Site=SITE, X_Nonce="n", X_Signature="wrong") == 401
    assert browser.get("/v3.1/contacts").status_code == 404


def test_records_that_other_processes_write_are_called_by_their_names(sandbox):
    browser = Browser(sandbox)
    made = browser.post("/_sandbox/records/contacts", json={"name": "Ann", "reference": "A1"}).json["record"]
    assert (made["displayed_as"], made["$path"]) == ("Ann (A1)", f"/contacts/{made['id']}")
    changed = browser.patch(f"/_sandbox/records/contacts/{made['id']}", json={"name": "Eve"}).json["record"]
    assert changed["displayed_as"] == "Eve (A1)"
