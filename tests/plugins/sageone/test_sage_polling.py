"""Sage polled by the engine: the documented body, and one test for each pitfall of its incremental polling."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from books import HOST, SEED_FILE, Books
from connectory.errors import AuthenticationError
from connectory.sandbox import OAuthSwitches, changed
from connectory_sageone.sandbox import SageSwitches
from connectory_sageone.sandbox.switches import BUSINESSES

DATES = {
    "updatedDateField": "updated_at",
    "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "createdDateField": "created_at",
    "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'",
}


def entry(url: str, **more) -> dict:
    return {"url": url, "idField": "id", "datesConfiguration": DATES} | more


def documented_body(books: Books) -> dict:
    """The body of the document, character by character, with the sandbox's addresses and client beside it."""
    body = json.loads(SEED_FILE.read_text())
    assert body["configuration"]["event.poller.configuration"]["customers"]["url"].endswith(
        "attributes='created_at,updated_at"
    )
    body["configuration"] |= books.sandbox.configuration(f"http://{HOST}")
    return body


def test_the_documented_body_works_as_it_stands(books):
    body = documented_body(books)
    code = books.sandbox.consent(
        books.app.instances.flow(books.app.instances.prepare(body | {"providerData": {}})).start().url
    )
    body["providerData"]["code"] = code.partition("code=")[2].partition("&")[0]
    assert body["providerData"]["code"].startswith("GB%2F")
    row = books.app.instances.create(body)
    assert row.name == "API_Polling"
    books.clock.advance(10)
    made = books.customer(name="Ann")
    vendor = books.sandbox.insert(
        "contacts", {"name": "Bo", "contact_types": [books.sandbox.refer("contact_types", "VENDOR")]}
    )
    books.poll(15 * 60)
    books.poll(15 * 60)
    assert books.told() == [("customers", made, "CREATED")]
    assert vendor["id"] not in str(books.told())
    assert books.records()[0].keys() == {"id", "displayed_as", "$path", "created_at", "updated_at"}
    asked = books.asked("/contacts")[-1].params
    assert asked["contact_type_id"] == "CUSTOMER"
    assert asked["attributes"] == "created_at,updated_at"
    assert asked["items_per_page"] == "200"
    assert asked["updated_or_created_since"].endswith("Z")


def test_changes_are_announced_once_as_what_they_are(books):
    known = next(row for row in books.sandbox.tables["contacts"].rows() if row["contact_types"][0]["id"] == "CUSTOMER")
    books.create()
    books.poll()
    books.clock.advance(10)
    made = books.customer()
    books.sandbox.update("contacts", known["id"], {"notes": "n"})
    for _ in range(4):
        books.poll()
    assert sorted(books.told()) == sorted([("customers", made, "CREATED"), ("customers", known["id"], "UPDATED")])
    books.sandbox.update("contacts", made, {"notes": "n"})
    books.poll()
    books.poll()
    assert books.told()[2:] == [("customers", made, "UPDATED")]


def test_every_default_resource_is_polled(books):
    plugins = books.app.parts.plugins
    polled = [
        name for name, resource in plugins.list_resources(plugins.element("sageone"), {}).items() if resource.poller
    ]
    books.create(*polled)
    books.poll()
    books.clock.advance(5)
    for _ in range(40):
        books.sandbox.step()
    books.poll()
    books.poll()
    assert {"customers", "invoices", "payments"} <= {told[0] for told in books.told()}
    with books.app.parts.database.read() as connection:
        from connectory.store import polls

        assert [(row.resource, row.failure) for row in polls.find(connection) if row.failure] == []


# The pitfalls, in the order of sageone.md 5


def test_pitfall_01_list_items_are_bare(books):
    """A URL that names no attributes is polled with the stamps all the same."""
    books.create(
        entries={
            "customers": entry("/hubs/finance/customers?where=lastModifiedDate>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'")
        }
    )
    books.clock.advance(10)
    made = books.customer()
    books.poll()
    books.poll()
    assert books.told() == [("customers", made, "CREATED")]


def test_pitfall_01_whole_records_are_there_for_the_asking(books):
    books.create(entries={"customers": entry("/hubs/finance/customers?where=attributes='all'")})
    books.clock.advance(10)
    books.customer(name="Ann", credit_limit=5)
    books.poll()
    books.poll()
    assert (books.records()[0]["name"], books.records()[0]["credit_limit"]) == ("Ann", "5.0")


def test_pitfall_02_same_second_writes_around_the_bound(books):
    books.create()
    books.poll()
    made = []
    for _ in range(5):
        made.append(books.customer())
        books.poll(57)
        made.append(books.customer())
    books.poll()
    books.poll()
    assert sorted(told[1] for told in books.told()) == sorted(made)


@pytest.mark.parametrize("skew", [-40, 0, 40])
def test_pitfall_03_two_clocks_and_late_rows(books, skew):
    books.sandbox.clock.skew(skew)
    books.create()
    books.poll()
    books.switch(commit_delay=30)
    made = []
    for _ in range(4):
        made.append(books.customer())
        books.poll()
    books.poll()
    assert sorted(told[1] for told in books.told()) == sorted(made)


def test_pitfall_05_pages_drift_while_they_are_read(books):
    books.create(entries={"customers": entry("/hubs/finance/customers", pageSize=7)})
    books.poll()
    books.clock.advance(5)
    made = [books.customer(name=f"c {number}") for number in range(40)]
    asked = books.sandbox.finish
    gone = iter(made[:3])

    def lose_one(reply, call):
        # Records vanish from pages that were read, so that all others move up.
        asked(reply, call)
        if call.request.path.endswith("/contacts") and call.param("page") in {"2", "4"}:
            record = next(gone, None)
            if record:
                books.sandbox.delete("contacts", record)

    books.sandbox.finish = lose_one
    books.poll()
    books.sandbox.finish = asked
    alive = {row["id"] for row in books.sandbox.tables["contacts"].rows()} & set(made)
    told = [told[1] for told in books.told()]
    assert alive <= set(told)
    assert len(told) == len(set(told))


@pytest.mark.parametrize("length", [0, 1, 199, 200, 201, 400])
def test_pitfall_06_a_page_past_the_end_is_the_last_one(books, length):
    books.create()
    books.poll()
    books.clock.advance(5)
    made = [books.customer() for _ in range(length)]
    books.poll()
    assert sorted(told[1] for told in books.told()) == sorted(made)
    pages = [entry.params["page"] for entry in books.asked("/contacts")[1:]]
    assert pages == [str(number + 1) for number in range(max(1, -(-length // 200)))]


@pytest.mark.parametrize("switches", [{"next_missing": True}, {"counts_nothing": True}])
@pytest.mark.parametrize("length", [0, 14, 15])
def test_pitfall_06_whatever_the_envelope_leaves_out(books, switches, length):
    books.switch(**switches)
    books.create(entries={"customers": entry("/hubs/finance/customers", pageSize=7)})
    books.poll()
    books.clock.advance(5)
    made = [books.customer() for _ in range(length)]
    books.poll()
    assert sorted(told[1] for told in books.told()) == sorted(made)
    assert books.state().failure is None


def test_pitfall_08_deletes_have_a_feed(books):
    resources = {"customers": entry("/hubs/finance/customers", trackDeletes=True)}
    books.create(entries=resources)
    books.poll()
    books.clock.advance(5)
    made = books.customer()
    books.poll()
    books.sandbox.delete("contacts", made)
    for _ in range(4):
        books.poll()
    assert books.told() == [("customers", made, "CREATED"), ("customers", made, "DELETED")]


def test_pitfall_08_a_void_invoice_is_an_update(books):
    books.create("invoices")
    books.poll()
    books.clock.advance(5)
    invoice = books.sandbox.tables["sales_invoices"].rows()[0]["id"]
    books.sandbox.void("sales_invoices", invoice, "twice")
    books.poll()
    books.poll()
    assert books.told() == [("invoices", invoice, "UPDATED")]
    assert books.asked("/sales_invoices")[-1].params["sort"] == "created_at:asc"


def test_pitfall_11_tokens_end_in_the_middle_of_a_scan(books):
    books.create(entries={"customers": entry("/hubs/finance/customers", pageSize=5)})
    books.poll()
    books.clock.advance(5)
    made = [books.customer() for _ in range(23)]
    finish = books.sandbox.finish

    def slowly(reply, call):
        finish(reply, call)
        if call.request.path.endswith("/contacts"):
            books.clock.advance(200)

    books.sandbox.finish = slowly
    books.poll()
    assert sorted(told[1] for told in books.told()) == sorted(made)
    assert [entry.grant for entry in books.sandbox.log.entries].count("refresh_token") >= 2


def test_pitfall_11_a_refused_token_is_renewed_once(books):
    books.create()
    books.poll()
    made = books.customer()
    books.sandbox.oauth.authority.expire()
    books.poll()
    assert books.told() == [("customers", made, "CREATED")]


def test_pitfall_12_the_lead_business_changes(books):
    books.create()
    books.poll()
    books.switch(lead=1)
    books.sandbox.insert(
        "contacts", {"name": "Strange", "contact_types": [books.sandbox.refer("contact_types", "CUSTOMER")]}, business=1
    )
    books.clock.advance(5)
    made = books.customer()
    books.poll()
    books.poll()
    assert books.told() == [("customers", made, "CREATED")]


def test_pitfall_12_a_business_may_be_chosen(books):
    books.create(**{"sageone.business": BUSINESSES[1]})
    books.poll()
    books.clock.advance(5)
    books.customer()
    kind = books.sandbox.refer("contact_types", "CUSTOMER")
    made = books.sandbox.insert("contacts", {"name": "B", "contact_types": [kind]}, business=1)["id"]
    books.poll()
    books.poll()
    assert books.told() == [("customers", made, "CREATED")]


@pytest.mark.parametrize(
    ("fault", "says"), [("no_subscription", "no active Sage subscription"), ("role_too_low", "may not see")]
)
def test_pitfall_13_what_is_no_fault_of_the_token(books, fault, says):
    instance = books.create()
    books.poll()
    made = books.customer()
    books.sandbox.break_with([fault])
    books.poll()
    assert says in books.state().failure
    assert "refresh_token" not in [entry.grant for entry in books.sandbox.log.entries]
    assert books.app.instances.get(instance).state == "active"
    books.sandbox.break_with([])
    books.poll(3600)
    assert books.told() == [("customers", made, "CREATED")]


@pytest.mark.parametrize(
    "fault",
    [
        "rate_limited=120",
        "rate_limited=date",
        "server_error",
        "unavailable",
        "bad_gateway",
        "login_html",
        "cut_json",
        "dropped",
    ],
)
def test_bad_days_lose_nothing(books, fault):
    books.create()
    books.poll()
    made = books.customer()
    books.sandbox.faults.script([fault])
    books.poll()
    assert books.told() == [] or fault == "cut_json"
    books.poll(200)
    books.poll(200)
    assert books.told() == [("customers", made, "CREATED")]


def test_whole_records_come_in_smaller_pages_where_sage_gives_up(books):
    books.create(entries={"customers": entry("/hubs/finance/customers?attributes=all")})
    books.poll()
    made = books.customer()
    books.sandbox.faults.script(["server_error=504", "server_error"])
    books.poll()
    assert books.told() == [("customers", made, "CREATED")]
    assert [entry.params["items_per_page"] for entry in books.asked("/contacts")[-3:]] == ["200", "100", "50"]


def test_an_ignored_filter_announces_nothing(books):
    books.create()
    books.poll()
    books.sandbox.break_with(["ignored_filter"])
    books.poll()
    assert "ignored the filter" in books.state().failure
    assert books.told() == []


def test_a_login_that_is_gone_is_said_once(books):
    instance = books.create()
    books.poll()
    books.sandbox.oauth.authority.expire("all")
    books.poll()
    assert books.app.instances.get(instance).state == "needs_reauth"


def test_a_token_endpoint_that_is_down_is_no_lost_login(books):
    instance = books.create()
    books.poll()
    books.sandbox.faults.script(["token_error", "token_error"])
    books.sandbox.oauth.authority.expire()
    books.poll()
    assert books.app.instances.get(instance).state == "active"
    made = books.customer()
    books.poll(600)
    books.poll(600)
    assert books.told() == [("customers", made, "CREATED")]


def test_a_new_login_must_be_of_the_same_business(books):
    instance = books.create()
    books.switch(lead=1)
    draft = books.app.instances.prepare(books.body())
    flow = books.app.instances.flow(draft)
    with pytest.raises(AuthenticationError, match=BUSINESSES[0]):
        books.app.instances.reauthenticate(instance, flow.finish(books.sandbox.consent(flow.start().url)))


def test_a_refused_client_is_not_stored(books):
    books.sandbox.break_with(["role_too_low"])
    with pytest.raises(Exception, match="may not see"):
        books.create()
    assert books.app.instances.find() == []


def test_lists_move_while_people_work(books):
    books.create(entries={"customers": entry("/hubs/finance/customers", pageSize=5)})
    books.poll()
    books.switch(steps_per_call=3)
    for _ in range(12):
        books.poll()
    books.switch(steps_per_call=0)
    books.poll()
    books.poll()
    told = [told[1] for told in books.told()]
    alive = [
        row["id"]
        for row in books.sandbox.tables["contacts"].rows()
        if row["updated_at"] > "2024-05-01T12:01:00Z"
        and row["contact_types"][0]["id"] == "CUSTOMER"
        and row["_business"] == BUSINESSES[0]
    ]
    assert set(alive) <= set(told)


# v3


def test_v3_is_polled_too(old_books):
    old_books.create()
    old_books.poll()
    old_books.clock.advance(5)
    made = old_books.customer()
    old_books.poll()
    old_books.poll()
    assert old_books.told() == [("customers", made, "CREATED")]
    old_books.poll(3600)
    assert old_books.state().failure is None


def test_v3_finds_deletions_by_listing(old_books):
    old_books.create(entries={"customers": entry("/hubs/finance/customers", trackDeletes={"interval": 2})})
    for _ in range(3):
        old_books.poll()
    made = old_books.customer()
    for _ in range(4):
        old_books.poll()
    old_books.sandbox.delete("contacts", made)
    for _ in range(4):
        old_books.poll()
    assert old_books.told() == [("customers", made, "CREATED"), ("customers", made, "DELETED")]


def test_v3_keeps_its_site_when_a_renewed_token_does_not_name_it(tmp_path):
    with Books(tmp_path, switches=SageSwitches(api="v3", country="us")) as books:
        books.sandbox.oauth.switches = changed(books.sandbox.oauth.switches, {"access_ttl": 300})
        assert isinstance(books.sandbox.oauth.switches, OAuthSwitches)
        books.create()
        books.poll()
        books.sandbox.oauth.token_fields = lambda _granted: {}
        books.clock.advance(timedelta(minutes=10))
        made = books.customer()
        books.poll()
        books.poll()
        assert books.told() == [("customers", made, "CREATED")]
