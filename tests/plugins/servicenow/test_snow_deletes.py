"""Deletions of a ServiceNow: the log of deletions for tables, sweeps for users."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectory.deletes import AuditLog, Sweep
from connectory.errors import ProviderError
from connectory.model import Response
from connectory.plugins import Plugins
from connectory.schemas import load_configuration
from connectory.store import deletions, events
from connectory_servicenow.deletes import LONGEST_LIST, LeafClasses, in_lists
from connectory_servicenow.resources import _log_of_deletes
from connectory_servicenow.sandbox import AclSwitches, AuditSwitches
from connectory_servicenow.sandbox.schema import TableSpec
from world import Snow, entry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def tracked(snow: Snow, *resources: str, **options) -> int:
    """An instance that tracks deletions, and has been polled once."""
    entries = {name: entry(name, **{"trackDeletes": True, **options}) for name in resources}
    instance = snow.create(**{"event.poller.configuration": entries})
    snow.poll()
    return instance


def state(snow: Snow, resource: str = "incidents") -> deletions.DeletionRow:
    with snow.app.parts.database.read() as connection:
        return next(row for row in deletions.find(connection, 1) if row.resource == resource)


def some(snow: Snow, table: str) -> str:
    return next(iter(snow.sandbox.tables[table]))


def deleted(snow: Snow) -> list[tuple[str, str]]:
    return [(told[0], told[1]) for told in snow.told() if told[2] == "DELETED"]


# The resources


@pytest.mark.parametrize(
    ("changes", "ways"),
    [
        ({}, {"accounts": AuditLog, "contacts": Sweep, "agents": Sweep, "incidents": AuditLog}),
        (
            {"servicenow.accounts.table": "customer_account", "servicenow.contacts.table": "customer_contact"},
            {"accounts": AuditLog, "contacts": AuditLog, "agents": Sweep, "incidents": AuditLog},
        ),
    ],
)
def test_users_are_swept_and_the_others_are_logged(changes, ways):
    plugins = Plugins.load(only=["servicenowoauth"])
    element = plugins.element("servicenowoauth")
    raw = {"servicenow.subdomain": "acme", "oauth.api.key": "k", "oauth.api.secret": "s", **changes}
    resources = plugins.list_resources(element, load_configuration(element, raw))
    assert {name: type(resource.deletes) for name, resource in resources.items()} == ways
    caveats = {name: resource.deletes.caveat for name, resource in resources.items()}
    assert "glide.ui.audit_deleted_tables" in caveats["agents"]
    assert "sys_audit_delete, which needs the role admin or a read rule" in caveats["incidents"]


def test_the_caveat_is_said_when_the_instance_is_made(snow):
    entries = {"agents": entry("agents", trackDeletes=True)}
    draft = snow.app.instances.prepare(
        {
            "element": {"key": "servicenowoauth"},
            "configuration": snow.configuration(**{"event.poller.configuration": entries}),
        }
    )
    assert any("ServiceNow does not log deleted users" in warning for warning in draft.warnings)


# The log


def test_a_deleted_incident_is_announced_with_what_the_log_knows(snow):
    tracked(snow, "incidents")
    incident = some(snow, "incident")
    number = snow.sandbox.tables["incident"][incident]["number"]
    snow.sandbox.delete("incident", incident, by="ann")
    snow.poll()
    snow.poll()
    assert snow.told() == [("incidents", incident, "DELETED", 1)]
    with snow.app.parts.database.read() as connection:
        (event,) = events.find(connection)
        body = json.loads(events.bodies_of(connection, [event.notification_id])[event.notification_id])
    assert body["message"]["raw"]["incidents"] == [
        {
            "sys_id": incident,
            "tablename": "incident",
            "documentkey": incident,
            "display_value": number,
            "sys_created_on": "2026-03-01 12:01:00",
            "sys_created_by": "ann",
        }
    ]


def test_an_idle_search_is_one_request_and_classes_are_asked_for_once_a_day(snow):
    tracked(snow, "incidents")
    before = snow.requests()
    snow.poll()
    assert snow.requests() - before == 2
    snow.poll(timedelta(days=1))
    assert [call.path for call in snow.sandbox.log.entries if "sys_db_object" in call.path][1:] == [
        "/api/now/v2/table/sys_db_object"
    ]


def test_a_record_of_a_table_that_extends_the_table_is_logged_under_its_own_name(tmp_path):
    """Pitfall of section 4.2: a company that is a customer is logged as customer_account."""
    with Snow(tmp_path) as snow:
        snow.sandbox.add_table(TableSpec(name="u_partner", label="Partner", parent="core_company"))
        snow.sandbox.add_table(TableSpec(name="u_reseller", label="Reseller", parent="u_partner"))
        parent = next(row for row in snow.sandbox.tables["sys_db_object"].values() if row["name"] == "core_company")
        partner = snow.sandbox.insert("sys_db_object", {"name": "u_partner", "super_class": parent.sys_id})
        snow.sandbox.insert("sys_db_object", {"name": "u_reseller", "super_class": partner.sys_id})
        made = [snow.sandbox.insert(table, {"name": table})["sys_id"] for table in ("u_partner", "u_reseller")]
        stranger = snow.sandbox.insert("cmn_location", {"name": "somewhere"})["sys_id"]
        snow.clock.advance(60)
        tracked(snow, "accounts")
        company = some(snow, "core_company")
        for table, key in [("core_company", company), ("u_partner", made[0]), ("u_reseller", made[1])]:
            snow.sandbox.delete(table, key)
        snow.sandbox.delete("cmn_location", stranger)
        snow.sandbox.delete("incident", some(snow, "incident"))
        snow.poll()
        snow.poll()
        assert sorted(deleted(snow)) == sorted(("accounts", key) for key in (company, *made))


def test_an_entry_that_is_written_late_is_announced_once(snow):
    tracked(snow, "incidents")
    incident = some(snow, "incident")
    with snow.switched(audit=AuditSwitches(delay=400)):
        snow.sandbox.delete("incident", incident)
    for _ in range(12):
        snow.poll()
    assert deleted(snow) == [("incidents", incident)]


def test_a_log_that_may_not_be_read_is_said_and_made_up_for(snow):
    tracked(snow, "incidents")
    incident = some(snow, "incident")
    with snow.switched(acl=AclSwitches(forbidden_tables=("sys_audit_delete",))):
        snow.sandbox.delete("incident", incident)
        snow.poll()
        assert "may not read sys_audit_delete" in state(snow).failure
        assert snow.state().failures == 0
    snow.poll(3600)
    assert deleted(snow) == [("incidents", incident)]
    assert state(snow).failure is None


@pytest.mark.parametrize("forbidden", [False, True])
def test_entries_that_are_hidden_are_said_and_made_up_for(snow, forbidden):
    tracked(snow, "incidents")
    incident = some(snow, "incident")
    hidden = AclSwitches(hidden_share={"sys_audit_delete": 1.0}, forbidden_when_all_hidden=forbidden)
    with snow.switched(acl=hidden):
        snow.sandbox.delete("incident", incident)
        snow.poll()
        snow.poll(3600)
        assert deleted(snow) == []
        assert "could not be read completely" in state(snow).failure
    snow.poll(3600)
    assert deleted(snow) == [("incidents", incident)]


def test_tables_that_may_not_be_read_are_no_reason_to_miss_some(snow):
    with snow.switched(acl=AclSwitches(hidden_rows={"sys_db_object": "name=customer_account"})):
        snow.sandbox.add_table(TableSpec(name="customer_account", label="Account", parent="core_company"))
        parent = next(row for row in snow.sandbox.tables["sys_db_object"].values() if row["name"] == "core_company")
        snow.sandbox.insert("sys_db_object", {"name": "customer_account", "super_class": parent.sys_id})
        tracked(snow, "accounts")
        assert "1 of the tables that extend core_company may not be read" in state(snow, "accounts").failure


def test_a_log_that_ignores_the_query_announces_nothing(snow):
    tracked(snow, "incidents")
    snow.sandbox.delete("cmn_location", some(snow, "cmn_location"))
    # The first search asks for nothing else; the poll itself comes after it.
    snow.sandbox.faults.script(["ignored_query"])
    snow.poll()
    assert deleted(snow) == []
    assert "does not match the request" in state(snow).failure
    snow.poll(3600)
    assert state(snow).failure is None


@pytest.mark.parametrize("fault", ["cut_json", "partial_200", "hibernate", "login_html", "server_error", "semaphore"])
def test_a_fault_of_the_log_loses_nothing_and_repeats_nothing(snow, fault):
    tracked(snow, "incidents")
    incidents = list(snow.sandbox.tables["incident"])
    for key in incidents:
        snow.sandbox.delete("incident", key)
    snow.sandbox.faults.script([fault])
    for _ in range(3):
        snow.poll(600)
    assert sorted(key for _, key in deleted(snow)) == sorted(incidents)


def test_a_record_that_is_undeleted_is_created_again(snow):
    """Undelete brings a record back under its id."""
    tracked(snow, "incidents")
    incident = some(snow, "incident")
    before = dict(snow.sandbox.tables["incident"][incident])
    snow.sandbox.delete("incident", incident)
    snow.poll()
    snow.sandbox.insert("incident", {"sys_id": incident, "short_description": before["short_description"]})
    snow.poll()
    snow.poll()
    assert [told[2:] for told in snow.told()] == [("DELETED", 1), ("CREATED", 2)]


# Users


def test_a_deleted_user_is_invisible_in_the_log_and_found_by_a_sweep(snow):
    tracked(snow, "agents", trackDeletes={"interval": 60})
    user = snow.sandbox.insert("sys_user", {"user_name": "ann"})["sys_id"]
    snow.poll()
    snow.sandbox.delete("sys_user", user)
    assert not snow.sandbox.tables["sys_audit_delete"]
    snow.poll()
    assert deleted(snow) == []
    snow.poll(3600)
    assert snow.told() == [("agents", user, "CREATED", 1), ("agents", user, "DELETED", 2)]


def test_a_sweep_asks_for_ids_and_for_no_passwords(snow):
    tracked(snow, "agents")
    (listed,) = [call for call in snow.sandbox.log.entries if call.params.get("sysparm_fields") == "sys_id"][1:]
    assert listed.params["sysparm_query"] == "ORDERBYsys_id"
    assert listed.path == "/api/now/v2/table/sys_user"


def test_a_deactivated_user_is_an_update(snow):
    tracked(snow, "agents", trackDeletes={"interval": 1})
    user = snow.sandbox.insert("sys_user", {"user_name": "ann"})["sys_id"]
    snow.poll()
    snow.sandbox.update("sys_user", user, {"active": "false"})
    snow.poll()
    snow.poll()
    assert [told[2] for told in snow.told()] == ["CREATED", "UPDATED"]


def test_users_that_a_lost_role_hides_are_not_deleted(snow):
    tracked(snow, "agents", trackDeletes={"interval": 1, "confirm": False})
    for switches in (
        AclSwitches(hidden_share={"sys_user": 0.5}),
        AclSwitches(hidden_share={"sys_user": 0.5}, hidden_as="empty"),
        AclSwitches(hidden_share={"sys_user": 1.0}),
        AclSwitches(hidden_share={"sys_user": 1.0}, forbidden_when_all_hidden=True),
        AclSwitches(forbidden_tables=("sys_user",)),
    ):
        with snow.switched(acl=switches):
            for _ in range(3):
                snow.poll(3600)
        assert deleted(snow) == [], switches
    snow.poll(3600)
    assert state(snow, "agents").failure is None


def test_a_rule_that_narrows_the_queries_raises_an_alarm(snow):
    """Such a rule hides rows from the count as well: nothing but their number gives it away."""
    for number in range(40):
        snow.sandbox.insert("sys_user", {"user_name": f"user{number}", "active": "false"})
    snow.clock.advance(60)
    tracked(snow, "agents", trackDeletes={"interval": 1, "confirm": False})
    with snow.switched(acl=AclSwitches(before_query={"sys_user": "active=true"})):
        for _ in range(3):
            snow.poll()
        assert "may have lost a right" in state(snow, "agents").alarm
    snow.poll()
    assert (deleted(snow), state(snow, "agents").alarm) == ([], None)


@pytest.mark.parametrize(
    "fault", ["hidden_rows", "empty_page", "ignored_query", "partial_200", "cut_json", "hibernate", "rate_limited"]
)
def test_a_fault_anywhere_in_a_sweep_deletes_nobody(tmp_path, fault):
    with Snow(tmp_path) as snow:
        for number in range(120):
            snow.sandbox.insert("sys_user", {"user_name": f"user{number}"})
        snow.clock.advance(60)
        # All may vanish at once, so nothing but the completeness of the list guards them.
        tracked(snow, "agents", trackDeletes={"interval": 1, "confirm": False, "maxShare": 1})
        plan = snow.app.parts.runtimes.get(1).plans["agents"]
        object.__setattr__(plan.resource, "deletes", replace(plan.resource.deletes, page_size=25))
        for at in range(7):
            # Two lists in a row must miss a record before it counts as deleted.
            for _ in range(2):
                snow.sandbox.faults.script([None] * at + [fault])
                snow.poll(3600)
                snow.sandbox.faults.clear()
            assert deleted(snow) == [], at
            snow.poll(3600)
        assert deleted(snow) == []
        gone = some(snow, "sys_user")
        snow.sandbox.delete("sys_user", gone)
        for _ in range(4):
            snow.poll(7200)
        assert deleted(snow) == [("agents", gone)]


# Classes


class Dictionary:
    """Answers as sys_db_object, from a tree of names."""

    def __init__(self, tree: dict[str, list[str]], hidden: int = 0) -> None:
        self.tree = tree
        self.hidden = hidden
        self.queries: list[str] = []

    def send(self, request) -> Response:
        query = request.param("sysparm_query")
        self.queries.append(query)
        parents = query.removeprefix("super_class.nameIN").removesuffix("^ORDERBYname").split(",")
        names = [name for parent in parents for name in self.tree.get(parent, [])]
        rows = ",".join(f'{{"name": "{name}"}}' for name in names)
        headers = {"X-Total-Count": str(len(names) + self.hidden)}
        return Response(status=200, headers=headers, body=f'{{"result": [{rows}]}}'.encode())


def leaf_classes(table: str = "a") -> LeafClasses:
    return LeafClasses(table=table, dictionary="/api/now/v2/table/sys_db_object", log=_log_of_deletes())


def test_all_that_extend_a_table_are_found_at_any_depth():
    dictionary = Dictionary({"a": ["b", "c"], "b": ["d"], "d": ["e"], "e": ["a"]})
    assert leaf_classes().classes(dictionary, NOW) == ["a", "b", "c", "d", "e"]


def test_a_list_of_many_classes_is_cut_into_requests_that_fit():
    names = [f"u_a_rather_long_name_of_a_table_{number:04}" for number in range(1500)]
    dictionary = Dictionary({"a": names})
    parts = leaf_classes()(_log_of_deletes(), dictionary, NOW)
    assert len(parts) > 5
    asked = [name for part in parts for name in part.log.filter.removeprefix("tablenameIN").split(",")]
    assert sorted(asked) == sorted(["a", *names])
    assert max(len(part.log.filter.replace(",", "%2C")) for part in parts) <= LONGEST_LIST + 100
    assert all(len(query.replace(",", "%2C")) <= LONGEST_LIST + 100 for query in dictionary.queries)
    assert parts[0].accepts({"tablename": "a"})
    assert not parts[1].accepts({"tablename": "a"})


def test_classes_that_are_hidden_are_an_error():
    with pytest.raises(ProviderError, match="2 of the tables that extend a may not be read"):
        leaf_classes().classes(Dictionary({"a": ["b"]}, hidden=2), NOW)


def test_classes_are_remembered_for_a_day():
    classes, dictionary = leaf_classes(), Dictionary({})
    for hours in (0, 1, 23):
        classes.classes(dictionary, NOW + timedelta(hours=hours))
    assert len(dictionary.queries) == 1
    classes.classes(dictionary, NOW + timedelta(hours=24))
    assert len(dictionary.queries) == 2


def test_lists_hold_everything_once():
    assert list(in_lists([])) == []
    assert list(in_lists(["a"])) == [["a"]]
    long = ["x" * LONGEST_LIST, "y" * LONGEST_LIST, "z"]
    assert list(in_lists(long)) == [[long[0]], [long[1]], ["z"]]
