"""Seeded records, the people who change them, and the control surface for other processes."""

import json
from collections import Counter

import pytest
from werkzeug.test import Client

from connectory_servicenow.sandbox import People, create_sandbox
from connectory_servicenow.sandbox.stamps import to_stamp

POLLED = {"core_company", "sys_user", "incident"}


def test_seeded_directory(company):
    sizes = {name: len(company.tables[name]) for name in POLLED}
    assert sizes == {"core_company": 20, "sys_user": 40, "incident": 60}


def test_sizes_are_options(clock):
    sandbox = create_sandbox(clock=clock, companies=1, users=5, incidents=2, customer_accounts=1, customer_contacts=1)
    assert [len(sandbox.tables[name]) for name in sorted(POLLED)] == [1, 2, 5]
    assert len(sandbox.tables["customer_contact"]) == 1


def test_incidents_are_as_big_as_real_ones(visitor):
    rows = visitor.rows("incident")
    assert all(90 <= len(row) <= 95 for row in rows)
    sizes = [len(json.dumps(row, separators=(",", ":"))) for row in rows]
    assert 2500 < sum(sizes) / len(sizes) < 3500


def test_history_lies_in_the_past(company):
    for name in POLLED:
        for record in company.tables[name].values():
            assert record["sys_created_on"] <= record["sys_updated_on"] <= "2024-05-01 12:00:00"


def test_same_seed_same_instance(clock):
    first, second = (create_sandbox(clock=clock, seed=7) for _ in range(2))
    assert first.tables["incident"] == second.tables["incident"]
    one, other = People(first, 3), People(second, 3)
    assert [one.step() for _ in range(50)] == [other.step() for _ in range(50)]
    assert create_sandbox(clock=clock, seed=8).tables["incident"] != first.tables["incident"]


def test_each_step_is_one_change(clock, company):
    people = People(company, 5)
    seen = Counter()
    for _ in range(400):
        clock.advance(1)
        before = {name: dict(company.tables[name]) for name in POLLED}
        table, sys_id, change = people.step()
        changed = {
            (name, key)
            for name in POLLED
            for key, record in company.tables[name].items()
            if before[name].get(key) is not record
        }
        assert changed == {(table, sys_id)}
        assert (sys_id not in before[table]) == (change == "created")
        assert company.tables[table][sys_id]["sys_updated_on"] == to_stamp(company.clock.now())
        seen[table, change] += 1
    assert {table for table, _ in seen} == POLLED
    assert set(seen) == {(table, change) for table in POLLED for change in ("created", "updated")}


@pytest.fixture
def remote(company):
    return Client(company)


def test_state_over_http(remote):
    state = remote.get("/_sandbox/state").json
    assert state["now"] == "2024-05-01T12:00:00+00:00"
    assert state["tables"]["incident"] == 60


def test_steps_over_http(company, remote):
    steps = remote.post("/_sandbox/steps", json={"count": 5}).json["steps"]
    assert len(steps) == 5
    change, table, sys_id = steps[0].split()
    assert change in {"created", "updated"}
    assert sys_id in company.tables[table]
    assert remote.get("/_sandbox/state").json["steps"] == 5


def test_records_over_http(remote):
    values = {"name": "Acme", "at": "2024-04-01 10:00:00", "by": "ann"}
    made = remote.post("/_sandbox/records/core_company", json=values).json["record"]
    assert (made["sys_created_on"], made["sys_created_by"]) == ("2024-04-01 10:00:00", "ann")
    path = f"/_sandbox/records/core_company/{made['sys_id']}"
    changed = remote.patch(path, json={"name": "Silent", "auto_sys_fields": False}).json["record"]
    assert (changed["name"], changed["sys_mod_count"]) == ("Silent", "0")
    changed = remote.patch(path, json={"name": "Late", "at": "2024-04-01T11:00:00Z"}).json["record"]
    assert (changed["sys_updated_on"], changed["sys_mod_count"]) == ("2024-04-01 11:00:00", "1")
    deleted = remote.delete(path, query_string={"at": "2024-04-02 10:00:00"}).json["deleted"]
    assert (deleted["sys_id"], deleted["name"]) == (made["sys_id"], "Late")
    (logged,) = remote.get("/_sandbox/records/sys_audit_delete").json["records"]
    assert (logged["documentkey"], logged["sys_created_on"]) == (made["sys_id"], "2024-04-02 10:00:00")


def test_mistakes_over_http(remote):
    assert remote.post("/_sandbox/records/core_company", json={"nam": 1}).status_code == 400
    assert remote.post("/_sandbox/records/nonsense", json={}).status_code == 404
    assert remote.patch("/_sandbox/records/core_company/nowhere", json={"name": "x"}).status_code == 404
    assert remote.put("/_sandbox/switches", json={"nonsense": 1}).status_code == 400
    assert remote.put("/_sandbox/faults", json={"script": ["nonsense"]}).status_code == 400
    assert remote.post("/_sandbox/clock", json={"nonsense": 1}).status_code == 404
    assert remote.post("/_sandbox/steps", data="[").status_code == 400
    assert remote.post("/_sandbox/steps", data="[]").status_code == 400
    assert remote.post("/_sandbox/state").status_code == 405
    assert remote.get("/_sandbox/nonsense").status_code == 404


def test_switches_over_http(company, remote):
    patched = remote.put("/_sandbox/switches", json={"commit_delay": 3, "oauth": {"rotate_refresh": True}}).json
    assert patched == remote.get("/_sandbox/switches").json
    assert company.switches.commit_delay == 3
    assert company.switches.oauth.rotate_refresh
    assert company.switches.oauth.state_required


def test_clock_over_http(company, remote):
    def move(**move):
        return remote.post("/_sandbox/clock", json=move).json["now"]

    assert move(advance=30) == "2024-05-01T12:00:30+00:00"
    assert move(skew=-60) == "2024-05-01T11:59:30+00:00"
    assert move(set="2024-06-01T00:00:00Z") == "2024-06-01T00:00:00+00:00"
    assert move(skew=0) == "2024-06-01T00:01:00+00:00"
    assert move(freeze=True) == "2024-06-01T00:01:00+00:00"
    assert move(freeze=False) == "2024-06-01T00:01:00+00:00"


def test_faults_and_tokens_over_http(company, remote):
    random = {"rate": 0, "kinds": ["slow"], "seed": 1}
    body = {"script": ["bad_gateway", None], "random": random, "always": []}
    assert remote.put("/_sandbox/faults", json=body).json == {"waiting": 2}
    assert remote.get("/api/now/table/incident").status_code == 502
    assert remote.get("/_sandbox/faults").json["waiting"] == 1
    login = {"grant_type": "password", "username": "admin", "password": "admin"}
    login |= {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    access = remote.post("/oauth_token.do", data=login).json["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    assert remote.get("/api/now/table/incident", headers=headers).status_code == 200
    assert remote.delete("/_sandbox/tokens").json == {"expired": 1}
    assert remote.get("/api/now/table/incident", headers=headers).status_code == 401
    assert remote.delete("/_sandbox/tokens", query_string={"kind": "all"}).json == {"expired": 1}


def test_log_over_http(remote):
    remote.get("/api/now/table/incident?sysparm_limit=2", auth=("admin", "admin"))
    remote.get("/api/now/table/incident")
    remote.post("/oauth_token.do", data={"grant_type": "password"})
    log = remote.get("/_sandbox/log").json
    assert log["total"] == 3
    assert log["requests"][0] == {
        "at": "2024-05-01T12:00:00+00:00",
        "method": "GET",
        "path": "/api/now/table/incident",
        "params": {"sysparm_limit": "2"},
        "status": 200,
        "user": "admin",
        "grant": "",
        "faults": [],
        "rows": 2,
    }
    assert [entry["status"] for entry in log["requests"]] == [200, 401, 401]
    assert remote.get("/_sandbox/log?count=1").json["requests"][0]["grant"] == "password"
    remote.delete("/_sandbox/log")
    assert remote.get("/_sandbox/log").json["requests"] == []
