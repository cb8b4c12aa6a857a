"""What stands beside the Table API: journals, rules, classes, deletes, files, batches and numbers."""

import base64
import io
import json
from dataclasses import replace

import pytest
from werkzeug.test import Client

from connectory_servicenow.sandbox import AuditSwitches, RuleError, create_sandbox


@pytest.fixture
def incident(sandbox):
    return sandbox.insert("incident", {"number": "I1"}).sys_id


def test_journal_entries(clock, sandbox, caller, incident):
    path = f"/api/now/table/incident/{incident}"
    for text in ("first", "second"):
        clock.advance(60)
        echoed = caller.call("PATCH", path, json={"comments": text}).json["result"]
        assert echoed["comments"] == ""
    caller.call("PATCH", path, json={"work_notes": "inside"})
    assert caller.rows("incident", fields="sys_mod_count,sys_updated_on") == [
        {"sys_mod_count": "3", "sys_updated_on": "2024-05-01 12:02:00"}
    ]
    entries = caller.rows("sys_journal_field", f"element_id={incident}^element=comments^ORDERBYsys_created_on")
    assert [(entry["name"], entry["value"]) for entry in entries] == [("incident", "first"), ("incident", "second")]
    shown = caller.rows("incident", fields="comments,comments_and_work_notes", display_value="true")[0]
    assert shown["comments"] == (
        "2024-05-01 05:02:00 - admin (Additional comments)\nsecond\n\n"
        "2024-05-01 05:01:00 - admin (Additional comments)\nfirst\n\n"
    )
    assert "inside" in shown["comments_and_work_notes"]


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("1", "1", "1"), ("1", "2", "2"), ("2", "2", "3"), ("3", "1", "3"), ("3", "2", "4"), ("3", "3", "5")],
)
def test_priority_follows_impact_and_urgency(sandbox, impact, urgency, priority):
    assert sandbox.insert("incident", {"impact": impact, "urgency": urgency})["priority"] == priority
    late = sandbox.insert("incident", {})
    assert sandbox.update("incident", late.sys_id, {"impact": impact, "urgency": urgency})["priority"] == priority


def test_resolving_needs_a_reason(caller, sandbox, incident):
    with pytest.raises(RuleError, match="Resolution code"):
        sandbox.update("incident", incident, {"state": "6"})
    path = f"/api/now/table/incident/{incident}"
    refused = caller.call("PATCH", path, json={"state": "6"})
    assert (refused.status_code, refused.json["error"]["message"]) == (403, "Operation Failed")
    solved = {"state": "6", "close_code": "Solved (Permanently)", "close_notes": "done"}
    admin = sandbox.user_named("admin").sys_id
    resolved = caller.call("PATCH", path, json=solved).json["result"]
    assert (resolved["incident_state"], resolved["resolved_by"]["value"], resolved["active"]) == ("6", admin, "true")
    closed = caller.call("PATCH", path, json={"incident_state": "7"}).json["result"]
    assert (closed["state"], closed["closed_by"]["value"], closed["active"]) == ("7", admin, "false")
    reopened = caller.call("PATCH", path, json={"state": "2"}).json["result"]
    assert (reopened["reopen_count"], reopened["resolved_at"], reopened["active"]) == ("1", "", "true")


def test_reassignments_are_counted(sandbox):
    ann, bob = (sandbox.insert("sys_user", {"user_name": name}).sys_id for name in ("ann", "bob"))
    incident = sandbox.insert("incident", {"assigned_to": ann})
    assert sandbox.update("incident", incident.sys_id, {"assigned_to": bob})["reassignment_count"] == "1"


def test_company_comes_with_the_caller(sandbox):
    company = sandbox.insert("core_company", {"name": "Acme"})
    ann = sandbox.insert("sys_user", {"user_name": "ann", "company": company.sys_id})
    incident = sandbox.insert("incident", {"caller_id": ann.sys_id})
    assert (incident["company"], incident["opened_by"]) == (company.sys_id, ann.sys_id)


def test_names_of_users_are_put_together(sandbox):
    user = sandbox.insert("sys_user", {"first_name": "Ann", "last_name": "Lee"})
    assert sandbox.update("sys_user", user.sys_id, {"last_name": "Kim"})["name"] == "Ann Kim"


def test_rule_that_aborts(sandbox, caller, incident):
    rule = {
        "name": "No mail",
        "collection": "task",
        "action_insert": "true",
        "action_update": "true",
        "abort_action": "true",
        "add_message": "true",
        "message": "Write a letter",
        "filter_condition": "short_descriptionLIKEmail^EQ",
    }
    made = sandbox.insert("sys_script", rule)
    refused = caller.call("POST", "/api/now/table/incident", json={"short_description": "Mail"})
    assert refused.status_code == 403
    assert "Write a letter" in refused.json["error"]["detail"]
    path = f"/api/now/table/incident/{incident}"
    assert caller.call("PATCH", path, json={"short_description": "mail"}).status_code == 403
    assert caller.call("PATCH", path, json={"short_description": "chat"}).status_code == 200
    sandbox.update("sys_script", made.sys_id, {"active": "false"})
    assert caller.call("PATCH", path, json={"short_description": "mail"}).status_code == 200


def test_stamps_given_by_tests(sandbox):
    late = sandbox.insert("core_company", {"name": "late"}, at="2024-04-30 10:00:00")
    assert (late["sys_created_on"], late["sys_updated_on"]) == ("2024-04-30 10:00:00",) * 2
    silent = sandbox.update("core_company", late.sys_id, {"name": "silent"}, auto_sys_fields=False)
    assert (silent["name"], silent["sys_updated_on"], silent["sys_mod_count"]) == (
        "silent",
        "2024-04-30 10:00:00",
        "0",
    )
    again = sandbox.update("core_company", late.sys_id, {"name": "again"}, at="2024-04-30 11:00:00", by="ann")
    assert (again["sys_updated_on"], again["sys_mod_count"], again["sys_updated_by"]) == (
        "2024-04-30 11:00:00",
        "1",
        "ann",
    )


def test_typing_errors_of_tests_are_found(sandbox):
    with pytest.raises(ValueError, match="no column nam"):
        sandbox.insert("core_company", {"nam": "Acme"})


def test_parents_list_their_children():
    sandbox = create_sandbox(companies=2, users=5, incidents=3, customer_accounts=2, customer_contacts=3)
    client = Client(sandbox)

    def rows(table):
        return client.get(f"/api/now/table/{table}", auth=("admin", "admin")).json["result"]

    classes = sorted(row["sys_class_name"] for row in rows("core_company"))
    assert classes == ["core_company"] * 2 + ["customer_account"] * 2
    assert all("account_code" not in row for row in rows("core_company"))
    assert [row["account_code"] for row in rows("customer_account")] != ["", ""]
    assert len(rows("sys_user")) == 8
    assert len(rows("customer_contact")) == 3
    assert {row["number"] for row in rows("task")} == {row["number"] for row in rows("incident")}


def test_parents_create_and_delete_their_children(sandbox, caller):
    body = {"sys_class_name": "incident", "short_description": "child"}
    made = caller.call("POST", "/api/now/table/task", json=body).json["result"]
    assert made["sys_class_name"] == "incident"
    assert list(sandbox.tables["incident"]) == [made["sys_id"]]
    caller.call("DELETE", f"/api/now/table/task/{made['sys_id']}")
    assert caller.column("sys_audit_delete", "tablename") == ["incident"]


def test_class_hierarchy_can_be_read(visitor):
    assert visitor.column("sys_db_object", "name", "super_class.name=task^ORDERBYname") == [
        "change_request",
        "incident",
        "problem",
    ]


def test_deletes_are_logged_but_not_those_of_users(clock, sandbox, caller, incident):
    user = sandbox.insert("sys_user", {"user_name": "ann"})
    sandbox.delete("sys_user", user.sys_id)
    clock.advance(10)
    sandbox.delete("incident", incident, by="ann")
    (logged,) = caller.rows("sys_audit_delete")
    assert logged["tablename"] == "incident"
    assert logged["documentkey"] == incident
    assert logged["display_value"] == "I1"
    assert (logged["sys_created_on"], logged["sys_created_by"]) == ("2024-05-01 12:00:10", "ann")
    assert f"<sys_id>{incident}</sys_id>" in logged["payload"]


def test_switches_of_the_log_of_deletes(clock, sandbox, caller):
    def delete(table):
        sandbox.delete(table, sandbox.insert(table, {}).sys_id)

    def logged():
        return caller.column("sys_audit_delete", "tablename", "ORDERBYtablename")

    sandbox.switches = replace(sandbox.switches, audit=AuditSwitches(sys_tables=("sys_user",)))
    delete("sys_user")
    assert logged() == ["sys_user"]
    sandbox.switches = replace(sandbox.switches, audit=AuditSwitches(ignored_tables=("incident",)))
    delete("incident")
    assert logged() == ["sys_user"]
    sandbox.switches = replace(sandbox.switches, audit=AuditSwitches(delay=30))
    delete("incident")
    assert logged() == ["sys_user"]
    clock.advance(30)
    assert logged() == ["incident", "sys_user"]
    assert caller.column("sys_audit_delete", "sys_created_on", "tablename=incident") == ["2024-05-01 12:00:00"]
    sandbox.switches = replace(sandbox.switches, audit=AuditSwitches(retention=3600))
    clock.advance(3600)
    assert logged() == []


def test_attachments(sandbox, caller, incident):
    params = {"table_name": "incident", "table_sys_id": incident, "file_name": "a.txt"}
    made = caller.call(
        "POST", "/api/now/v1/attachment/file", query_string=params, data=b"hello", content_type="text/plain"
    )
    attachment = made.json["result"]
    assert made.status_code == 201
    assert made.headers["Location"] == f"http://localhost/api/now/v1/attachment/{attachment['sys_id']}/file"
    assert (attachment["size_bytes"], attachment["content_type"]) == ("5", "text/plain")
    form = {"table_name": "incident", "table_sys_id": incident, "uploadFile": (io.BytesIO(b"bytes"), "b.bin")}
    assert caller.call("POST", "/api/now/attachment/upload", data=form).status_code == 201
    listed = caller.get("/api/now/attachment", f"table_sys_id={incident}^ORDERBYfile_name", limit=1)
    assert (listed.headers["X-Total-Count"], listed.json["result"][0]["file_name"]) == ("2", "a.txt")
    path = f"/api/now/attachment/{attachment['sys_id']}"
    assert caller.call("PATCH", path, json={"file_name": "c.txt"}).json["result"]["file_name"] == "c.txt"
    file = caller.get(f"{path}/file")
    assert (file.data, file.mimetype) == (b"hello", "text/plain")
    assert json.loads(file.headers["X-Attachment-Metadata"])["file_name"] == "c.txt"
    assert caller.call("DELETE", path).status_code == 204
    assert caller.get(path).status_code == 404
    sandbox.delete("incident", incident)
    assert caller.get("/api/now/attachment").json["result"] == []
    assert sandbox.store.files == {}


def test_attachments_need_a_record_and_a_type(caller, incident):
    params = {"table_name": "incident", "table_sys_id": "nowhere", "file_name": "a.txt"}

    def post(**options):
        return caller.call("POST", "/api/now/attachment/file", data=b"x", **options).status_code

    assert post(query_string=params, content_type="text/plain") == 404
    assert post(query_string=params) == 400
    assert post(content_type="text/plain") == 400


def test_batch(sandbox, caller, incident):
    body = base64.b64encode(json.dumps({"short_description": "batched"}).encode()).decode()
    headers = [{"name": "Content-Type", "value": "application/json"}]
    requests = [
        {"id": "1", "method": "GET", "url": "/api/now/table/incident?sysparm_query=number=I1&sysparm_fields=number"},
        {"id": "2", "method": "PATCH", "url": f"/api/now/table/incident/{incident}", "body": body, "headers": headers},
        {"id": "3", "method": "GET", "url": "/api/now/table/nonsense", "exclude_response_headers": True},
    ]
    reply = caller.call("POST", "/api/now/v1/batch", json={"batch_request_id": 7, "rest_requests": requests})
    assert reply.json["batch_request_id"] == "7"
    served = {item["id"]: item for item in reply.json["serviced_requests"]}
    assert [item["status_code"] for item in served.values()] == [200, 200, 400]
    assert json.loads(base64.b64decode(served["1"]["body"])) == {"result": [{"number": "I1"}]}
    assert {"name": "X-Total-Count", "value": "1"} in served["1"]["headers"]
    assert served["3"]["headers"] == []
    assert sandbox.tables["incident"][incident]["short_description"] == "batched"


def test_numbers_of_a_table(sandbox, caller):
    for impact, seconds in (("1", 10), ("1", 30), ("3", 5)):
        sandbox.insert("incident", {"impact": impact, "business_stc": seconds}, at=f"2024-04-0{impact} 10:00:00")

    def stats(**params):
        return caller.get("/api/now/stats/incident", **params).json["result"]

    assert stats(count="true") == {"stats": {"count": "3"}}
    measured = stats(sum_fields="business_stc", avg_fields="business_stc", min_fields="sys_updated_on,business_stc")
    assert measured == {
        "stats": {
            "sum": {"business_stc": "45"},
            "avg": {"business_stc": "15"},
            "min": {"sys_updated_on": "2024-04-01 10:00:00", "business_stc": "5"},
        }
    }
    assert stats(max_fields="business_stc", query="impact=1")["stats"] == {"max": {"business_stc": "30"}}
    assert stats(count="true", group_by="impact") == [
        {"stats": {"count": "2"}, "groupby_fields": [{"field": "impact", "value": "1"}]},
        {"stats": {"count": "1"}, "groupby_fields": [{"field": "impact", "value": "3"}]},
    ]
    labelled = stats(count="true", group_by="impact", having="count^impact^>^1", display_value="true")
    assert labelled == [{"stats": {"count": "2"}, "groupby_fields": [{"field": "impact", "value": "1 - High"}]}]
