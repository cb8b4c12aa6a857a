"""The Table API: lists and their headers, value shapes, writes and refusals."""

import gzip
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from connectory_servicenow.sandbox import Switches


def links(reply):
    parts = [part.split(">;rel=") for part in reply.headers["Link"].split(",<")]
    return {name.strip('"'): url.removeprefix("<") for url, name in parts}


def offsets(reply):
    return {name: parse_qs(urlsplit(url).query)["sysparm_offset"] for name, url in links(reply).items()}


@pytest.fixture
def seven(sandbox):
    for number in range(7):
        sandbox.insert("core_company", {"name": f"C{number}"}, at=f"2024-04-01 10:00:0{number}")
    return sandbox


@pytest.mark.parametrize("version", ["", "v1/", "v2/"])
def test_every_version_lists(visitor, version):
    reply = visitor.get(f"/api/now/{version}table/incident", limit=1, fields="caller_id")
    assert reply.status_code == 200
    caller = reply.json["result"][0]["caller_id"]
    assert caller["link"] == f"http://localhost/api/now/{version}table/sys_user/{caller['value']}"


@pytest.mark.parametrize(("version", "status"), [("", 200), ("v2/", 200), ("v1/", 404)])
def test_empty_list_is_missing_in_v1_only(caller, version, status):
    assert caller.get(f"/api/now/{version}table/incident").status_code == status


def test_pages_and_their_links(seven, caller):
    first = caller.get("/api/now/table/core_company", "ORDERBYname", limit=3)
    assert first.headers["X-Total-Count"] == "7"
    assert offsets(first) == {"first": ["0"], "next": ["3"], "last": ["6"]}
    middle = caller.get("/api/now/table/core_company", "ORDERBYname", limit=3, offset=3)
    assert list(offsets(middle).items()) == [("first", ["0"]), ("prev", ["0"]), ("next", ["6"]), ("last", ["6"])]
    last = caller.get("/api/now/table/core_company", "ORDERBYname", limit=3, offset=6)
    assert offsets(last) == {"first": ["0"], "prev": ["3"], "last": ["6"]}
    assert [row["name"] for page in (first, middle, last) for row in page.json["result"]] == [f"C{n}" for n in range(7)]


def test_links_keep_the_query_and_can_be_followed(seven, caller):
    reply = caller.get("/api/now/table/core_company", "nameSTARTSWITHC^nameINC1,C2,C3^ORDERBYname", limit=2)
    following = caller.call("GET", links(reply)["next"])
    assert [row["name"] for row in following.json["result"]] == ["C3"]


def test_one_page_needs_no_links(seven, caller):
    reply = caller.get("/api/now/table/core_company", limit=7)
    assert "Link" not in reply.headers
    assert reply.headers["X-Total-Count"] == "7"


def test_links_and_count_can_be_left_out(seven, caller):
    without_links = caller.get("/api/now/table/core_company", limit=3, suppress_pagination_header="true")
    assert "Link" not in without_links.headers
    assert without_links.headers["X-Total-Count"] == "7"
    without_count = caller.get("/api/now/table/core_company", limit=3, no_count="true")
    assert "X-Total-Count" not in without_count.headers
    assert set(links(without_count)) == {"first", "next"}


def test_previous_page_of_the_first_one(seven, caller):
    seven.switches = replace(seven.switches, prev_on_first_page=True)
    assert offsets(caller.get("/api/now/table/core_company", limit=1))["prev"] == ["-1"]


def test_links_name_the_address_the_instance_believes_in(seven, caller):
    seven.switches = replace(seven.switches, link_base="https://acme.service-now.com")
    reply = caller.get("/api/now/table/core_company", limit=3)
    assert links(reply)["next"].startswith("https://acme.service-now.com/api/now/table/core_company?")


def test_negative_offset_is_refused(caller):
    assert caller.get("/api/now/table/incident", offset=-1).status_code == 400


def test_query_too_long_for_the_link_header(seven, caller):
    query = "nameSTARTSWITHC^sys_idNOT IN" + "x" * 11_000
    refused = caller.get("/api/now/table/core_company", query, limit=3)
    assert (refused.status_code, refused.json["error"]["message"]) == (400, "Pagination not supported")
    for cure in ({"limit": 10}, {"limit": 3, "suppress_pagination_header": "true"}):
        assert caller.get("/api/now/table/core_company", query, **cure).status_code == 200


def test_address_too_long(caller):
    reply = caller.get("/api/now/table/core_company", "name=" + "x" * 17_000)
    assert (reply.status_code, reply.mimetype) == (414, "text/html")


def test_plain_pairs_filter_and_unknown_ones_do_not(seven, caller):
    def found(**params):
        reply = caller.call("GET", "/api/now/table/core_company", query_string=params)
        return [row["name"] for row in reply.json["result"]]

    assert found(name="C1") == ["C1"]
    assert found(name="C1", city="nowhere") == []
    assert len(found(query="name=C1")) == 7


def test_fields_come_in_the_order_asked_for(visitor):
    row = visitor.rows("incident", fields="number,nonsense,caller_id.department.name, sys_id ,number", limit=1)[0]
    assert list(row) == ["number", "caller_id.department.name", "sys_id"]


def test_everything_is_text(visitor):
    for row in visitor.rows("sys_user") + visitor.rows("core_company"):
        assert all(isinstance(value, str | dict) for value in row.values())


def test_shapes_of_values(sandbox, caller):
    user = sandbox.insert("sys_user", {"first_name": "Ann", "last_name": "Lee"})
    sandbox.insert("incident", {"caller_id": user.sys_id, "business_stc": "102197", "calendar_stc": "60"})
    link = f"http://localhost/api/now/table/sys_user/{user.sys_id}"
    fields = "caller_id,assigned_to,state,subcategory,sys_created_on,sla_due,business_stc,sys_class_name,active"

    def row(**params):
        return caller.rows("incident", fields=fields, **params)[0]

    assert row() == {
        "caller_id": {"link": link, "value": user.sys_id},
        "assigned_to": "",
        "state": "1",
        "subcategory": "",
        "sys_created_on": "2024-05-01 12:00:00",
        "sla_due": "",
        "business_stc": "102197",
        "sys_class_name": "incident",
        "active": "true",
    }
    assert row(display_value="true") == {
        "caller_id": {"display_value": "Ann Lee", "link": link},
        "assigned_to": "",
        "state": "New",
        "subcategory": None,
        "sys_created_on": "2024-05-01 05:00:00",
        "sla_due": "UNKNOWN",
        "business_stc": "102,197",
        "sys_class_name": "Incident",
        "active": "true",
    }
    everything = row(display_value="all")
    assert everything["caller_id"] == {"display_value": "Ann Lee", "link": link, "value": user.sys_id}
    assert everything["assigned_to"] == {"display_value": "", "value": ""}
    assert everything["state"] == {"display_value": "New", "value": "1"}
    assert row(exclude_reference_link="true")["caller_id"] == user.sys_id
    assert row(exclude_reference_link="true", display_value="true")["caller_id"] == "Ann Lee"
    bare = row(exclude_reference_link="true", display_value="all")["caller_id"]
    assert bare == {"display_value": "Ann Lee", "value": user.sys_id}


def test_dates_look_as_the_user_likes_them(company, visitor):
    visitor.auth = ("oslo", "oslo")
    company.insert("incident", {"number": "X"}, at="2024-05-01 10:00:00")
    shown = visitor.rows("incident", "number=X", fields="sys_created_on", display_value="true")
    assert shown == [{"sys_created_on": "01-05-2024 12:00:00"}]


def test_durations_are_put_into_words(sandbox, caller):
    incident = sandbox.insert("incident", {}, at="2024-05-01 10:00:00")
    sandbox.update(
        "incident", incident.sys_id, {"state": "6", "close_code": "Solved (Permanently)", "close_notes": "done"}
    )
    fields = "calendar_duration,calendar_stc,resolved_at"
    assert caller.rows("incident", fields=fields) == [
        {"calendar_duration": "1970-01-01 02:00:00", "calendar_stc": "7200", "resolved_at": "2024-05-01 12:00:00"}
    ]
    assert caller.column("incident", "calendar_duration", display_value="true") == ["2 Hours"]


def test_headers_of_every_answer(clock, visitor):
    clock.advance(90)
    reply = visitor.get("/api/now/table/incident", limit=1)
    assert reply.headers["Date"] == "Wed, 01 May 2024 12:01:30 GMT"
    assert reply.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert reply.headers["Server"] == "ServiceNow"
    assert reply.headers["X-Is-Logged-In"] == "true"
    assert "no-store" in reply.headers["Cache-Control"]
    assert "JSESSIONID" in str(reply.headers.getlist("Set-Cookie"))
    assert reply.headers["X-Transaction-ID"]


def test_compressed_when_the_caller_can_read_it(visitor):
    reply = visitor.call("GET", "/api/now/table/incident", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(reply.data))["result"]) == 60
    assert "Content-Encoding" not in visitor.get("/api/now/table/incident").headers


def test_head_has_headers_and_no_body(visitor):
    reply = visitor.call("HEAD", "/api/now/table/incident")
    assert (reply.status_code, reply.data, reply.headers["X-Total-Count"]) == (200, b"", "60")


def test_xml_for_those_who_ask(visitor):
    reply = visitor.call("GET", "/api/now/table/incident", headers={"Accept": "application/xml"})
    assert reply.mimetype == "application/xml"
    assert reply.text.count("<result>") == 60


def test_record_and_its_absence(company, visitor):
    incident = next(iter(company.tables["incident"].values()))
    found = visitor.get(f"/api/now/table/incident/{incident.sys_id}")
    assert found.json["result"]["number"] == incident["number"]
    missing = visitor.get("/api/now/table/incident/nowhere")
    assert (missing.status_code, missing.json["status"]) == (404, "failure")
    assert missing.json["error"]["message"] == "No Record found"


def test_refusals(caller):
    def error(reply):
        return reply.status_code, reply.json["error"]["message"]

    assert error(caller.get("/api/now/table/nonsense")) == (400, "Invalid table nonsense")
    assert error(caller.get("/api/now/nonsense")) == (400, "Requested URI does not represent any resource")
    assert caller.call("DELETE", "/api/now/table/incident").status_code == 405
    assert caller.call("GET", "/api/now/table/incident", headers={"Accept": "text/csv"}).status_code == 406
    plain = caller.call("POST", "/api/now/table/incident", data="x", content_type="text/plain")
    assert plain.status_code == 415
    broken = caller.call("POST", "/api/now/table/incident", data="{", content_type="application/json")
    assert broken.status_code == 400


def test_nobody_gets_in_without_a_password(sandbox, caller):
    for auth in (None, ("admin", "wrong"), ("nobody", "nobody")):
        reply = caller.client.get("/api/now/table/incident", auth=auth)
        assert reply.status_code == 401
        assert reply.json == {
            "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
            "status": "failure",
        }
    sandbox.authority.people["admin"] = "changed"
    assert caller.get("/api/now/table/incident").status_code == 401
    assert caller.client.get("/api/now/table/incident", auth=("admin", "changed")).status_code == 200


def test_create(caller):
    body = {"short_description": "Mail", "impact": 1, "urgency": "1", "active": True, "nonsense": 1, "sys_mod_count": 9}
    reply = caller.call("POST", "/api/now/v1/table/incident", json=body)
    made = reply.json["result"]
    assert reply.status_code == 201
    assert reply.headers["Location"] == f"http://localhost/api/now/v1/table/incident/{made['sys_id']}"
    wanted = {
        "number": "INC0010001",
        "priority": "1",
        "impact": "1",
        "active": "true",
        "state": "1",
        "incident_state": "1",
        "category": "inquiry",
        "approval": "not requested",
        "upon_reject": "cancel",
        "made_sla": "true",
        "sys_mod_count": "0",
        "sys_created_by": "admin",
        "sys_created_on": "2024-05-01 12:00:00",
        "opened_at": "2024-05-01 12:00:00",
        "sys_class_name": "incident",
    }
    assert {name: made[name] for name in wanted} == wanted


def test_create_keeps_a_given_id_once(caller):
    body = {"sys_id": "ABC", "name": "first"}
    assert caller.call("POST", "/api/now/table/core_company", json=[body, {"name": "x"}]).status_code == 201
    assert caller.call("POST", "/api/now/table/core_company", json=body).status_code == 403
    assert caller.column("core_company", "sys_id") == ["ABC"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_change_touches_only_what_was_sent(clock, seven, caller, method):
    company = caller.rows("core_company", "name=C3")[0]
    clock.advance(5)
    path = f"/api/now/table/core_company/{company['sys_id']}"
    reply = caller.call(method, path, json={"phone": "1", "name": "C3"})
    assert reply.status_code == 200
    changed = {name for name, value in reply.json["result"].items() if value != company[name]}
    assert changed == {"phone", "sys_updated_on", "sys_mod_count"}
    cleared = caller.call(method, path, json={"phone": ""}).json["result"]
    assert (cleared["phone"], cleared["sys_mod_count"], cleared["sys_updated_on"]) == ("", "2", "2024-05-01 12:00:05")


def test_change_to_the_same_is_no_change(clock, seven, caller):
    company = caller.rows("core_company", "name=C3")[0]
    reply = caller.call("PATCH", f"/api/now/table/core_company/{company['sys_id']}", json={"name": "C3"})
    assert reply.json["result"] == company


def test_override_of_the_verb(seven, caller):
    company = caller.rows("core_company", "name=C3")[0]
    headers = {"X-HTTP-Method-Override": "PATCH"}
    path = f"/api/now/table/core_company/{company['sys_id']}"
    assert caller.call("POST", path, json={"name": "new"}, headers=headers).json["result"]["name"] == "new"


def test_write_without_an_answer(caller):
    reply = caller.call("POST", "/api/now/table/core_company", json={}, headers={"X-no-response-body": "true"})
    assert (reply.status_code, reply.data) == (201, b"")


def test_delete(seven, caller):
    company = caller.rows("core_company", "name=C3")[0]
    path = f"/api/now/table/core_company/{company['sys_id']}"
    assert caller.call("DELETE", path).status_code == 204
    assert caller.call("DELETE", path).status_code == 404
    assert caller.call("PATCH", path, json={}).status_code == 404
    assert caller.column("core_company", "name", "name=C3") == []


def test_reader_may_not_write(company, visitor):
    visitor.auth = ("reader", "reader")
    incident = next(iter(company.tables["incident"]))
    assert visitor.call("POST", "/api/now/table/incident", json={}).status_code == 403
    assert visitor.call("DELETE", f"/api/now/table/incident/{incident}").status_code == 403
    assert visitor.get(f"/api/now/table/incident/{incident}").status_code == 200


def test_labels_as_input(company, visitor):
    body = {
        "impact": "1 - High",
        "urgency": "2 - Medium",
        "category": "Inquiry / Help",
        "caller_id": "System Administrator",
        "assigned_to": "Nobody At All",
        "due_date": "2024-05-03 09:00:00",
    }
    reply = visitor.call("POST", "/api/now/table/incident?sysparm_input_display_value=true", json=body)
    made = reply.json["result"]
    assert (made["impact"], made["urgency"], made["priority"], made["category"]) == ("1", "2", "2", "inquiry")
    assert made["caller_id"]["value"] == company.user_named("admin").sys_id
    assert made["assigned_to"] == ""
    assert made["due_date"] == "2024-05-03 16:00:00"


def test_codes_as_input(visitor):
    body = {"impact": "2", "due_date": "2024-05-03 09:00:00", "caller_id": "nobody"}
    made = visitor.call("POST", "/api/now/table/incident", json=body).json["result"]
    assert (made["impact"], made["due_date"], made["caller_id"]) == ("2", "2024-05-03 09:00:00", "")


def test_customer_tables_need_their_plugin(caller):
    assert caller.get("/api/now/table/customer_account").status_code == 400


def test_switches_have_a_plain_instance_by_default():
    assert Switches() == Switches(oauth=Switches().oauth)
