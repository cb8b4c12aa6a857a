"""One test for each pitfall of polling a ServiceNow; `docs/explanation/polling.md` lists them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.clock import from_micros
from connectory.errors import ConfigurationError
from connectory_servicenow.sandbox import create_sandbox
from world import HOST, entry


def small(resource: str = "incidents", size: int = 10, **more) -> dict:
    """Configuration that polls one resource in small pages."""
    return {"event.poller.configuration": {resource: entry(resource, pageSize=size, **more)}}


def inserted(snow, count: int, **values) -> list[str]:
    return [snow.sandbox.insert("incident", values)["sys_id"] for _ in range(count)]


def ids(snow) -> list[str]:
    return sorted(told[1] for told in snow.told())


def asked(snow, path: str):
    return [call for call in snow.sandbox.log.entries if call.path.endswith(path)]


def with_acl(snow, **acl):
    return snow.switched(acl=replace(snow.sandbox.switches.acl, **acl))


def test_pitfall_01_offset_paging_drifts(snow):
    snow.create(**small())
    snow.clock.advance(10)
    made = inserted(snow, 45)
    with snow.switched(shuffle="page", steps_per_call=4):
        snow.poll()
    snow.poll()
    snow.poll()
    told = [(told[1], told[3]) for told in snow.told()]
    assert len(told) == len(set(told))
    assert set(made) <= {object_id for object_id, _ in told}
    assert not [call for call in snow.sandbox.log.entries if "sysparm_offset" in call.params]


def test_pitfall_02_ties_of_one_stamp_move_between_pages(snow):
    snow.create(**small(size=7))
    snow.clock.advance(10)
    made = inserted(snow, 60)
    with snow.switched(shuffle="page"):
        snow.poll()
        snow.poll()
    assert ids(snow) == sorted(made)


def test_pitfall_03_late_rows_of_the_bounds_own_second_are_skipped(snow):
    snow.create()
    snow.poll()
    made = []
    for _ in range(3):
        bound = from_micros(snow.state().since)
        stamps = [bound + timedelta(seconds=seconds) for seconds in (-1, 0, 1)]
        made += [snow.sandbox.insert("incident", {}, at=stamp)["sys_id"] for stamp in stamps]
        snow.poll()
    snow.poll()
    assert ids(snow) == sorted(made)


@pytest.mark.parametrize("skew", [-30, 0, 30])
def test_pitfall_04_rows_become_visible_after_their_stamp(snow, skew):
    snow.sandbox.clock.skew(skew)
    snow.create()
    snow.poll()
    with snow.switched(commit_delay=25):
        made = []
        for _ in range(6):
            snow.clock.advance(17)
            made += inserted(snow, 2)
            snow.poll(40)
        snow.poll()
    assert ids(snow) == sorted(made)


@pytest.mark.parametrize("hidden_as", ["absent", "empty"])
def test_pitfall_05_rights_thin_pages_after_the_limit(snow, hidden_as):
    snow.create(**small(size=5))
    snow.clock.advance(10)
    visible = inserted(snow, 3)
    snow.clock.advance(2)
    inserted(snow, 30, category="secret")
    snow.clock.advance(2)
    visible += inserted(snow, 8)
    with with_acl(snow, hidden_rows={"incident": "category=secret"}, hidden_as=hidden_as):
        snow.poll()
    assert ids(snow) == sorted(visible)


def test_pitfall_06_hidden_rows_are_counted_and_that_is_no_failure(snow):
    snow.create()
    snow.clock.advance(10)
    inserted(snow, 3, category="secret")
    with with_acl(snow, hidden_rows={"incident": "category=secret"}, hidden_as="empty"):
        snow.poll()
    state = snow.state()
    assert (state.failures, state.summary["hidden"]) == (0, 3)
    assert snow.told() == []


def test_pitfall_07_business_rules_hide_rows(snow):
    """What a rule hides cannot be told from what is not there: its owner must let the integration user pass."""
    snow.create("agents")
    snow.clock.advance(10)
    user = snow.sandbox.insert("sys_user", {"user_name": "ann"})["sys_id"]
    snow.poll()
    with with_acl(snow, before_query={"sys_user": "active=true"}):
        snow.sandbox.update("sys_user", user, {"active": "false"})
        snow.poll()
        assert [told[2] for told in snow.told()] == ["CREATED"]
        assert snow.state("agents").failures == 0
    snow.sandbox.update("sys_user", user, {"title": "gone"})
    snow.poll()
    assert [told[2] for told in snow.told()] == ["CREATED", "UPDATED"]


def test_pitfall_08_deletes_do_not_appear_in_a_list(snow):
    """Plain polling invents nothing of a row that is gone; `trackDeletes` finds it."""
    snow.create()
    snow.clock.advance(10)
    made = inserted(snow, 1)[0]
    snow.poll()
    snow.sandbox.delete("incident", made)
    snow.poll()
    assert [told[2] for told in snow.told()] == ["CREATED"]
    assert snow.state().failures == 0


def test_pitfall_09_parent_tables_return_their_children(snow):
    customers = create_sandbox(clock=snow.clock, incidents=1, companies=1, users=2, customer_service=True)
    snow.sandbox = snow.applications[HOST] = customers
    snow.create("accounts")
    only = {"servicenow.accounts.filter": "sys_class_name=core_company"}
    snow.create("accounts", **only)
    snow.clock.advance(10)
    company = customers.insert("core_company", {"name": "Birch"})["sys_id"]
    customer = customers.insert("customer_account", {"name": "Oak"})["sys_id"]
    snow.poll()
    assert ids(snow) == sorted([company, customer, company])


def test_pitfall_10_writes_that_do_not_bump_the_stamp(snow):
    """Nothing in a window shows them: their next ordinary change brings them along."""
    snow.create()
    snow.clock.advance(10)
    made = inserted(snow, 1)[0]
    snow.poll()
    snow.sandbox.update("incident", made, {"short_description": "in silence"}, auto_sys_fields=False)
    snow.poll()
    assert len(snow.told()) == 1
    snow.sandbox.update("incident", made, {"urgency": "1"})
    snow.poll()
    assert [told[2] for told in snow.told()] == ["CREATED", "UPDATED"]


def test_pitfall_11_a_change_of_a_referenced_row_is_its_own_only(snow):
    snow.create("incidents", "agents")
    snow.clock.advance(10)
    user = snow.sandbox.insert("sys_user", {"user_name": "ann", "first_name": "Ann"})["sys_id"]
    incident = snow.sandbox.insert("incident", {"caller_id": user})["sys_id"]
    snow.poll()
    before = len(snow.told())
    snow.sandbox.update("sys_user", user, {"first_name": "Anna"})
    snow.poll()
    assert [(told[0], told[1]) for told in snow.told()[before:]] == [("agents", user)]
    assert incident in ids(snow)


def test_pitfall_12_the_poller_changes_its_own_user(snow):
    """A filter leaves the integration user out; without it, its own row is news once per poll, and no more."""
    others = "sys_id!=javascript:gs.getUserID()"
    snow.create("agents", **{"servicenow.agents.filter": others})
    snow.create("contacts")
    snow.poll()
    with snow.switched(touch_own_user=True):
        for _ in range(5):
            snow.poll()
    own = snow.sandbox.user_named("integration").sys_id
    assert {told[:2] for told in snow.told()} <= {("contacts", own)}
    assert len(snow.told()) <= 5
    ann = snow.sandbox.insert("sys_user", {"user_name": "ann"})["sys_id"]
    snow.poll()
    assert {("agents", ann), ("contacts", ann)} <= {told[:2] for told in snow.told()}


def test_pitfall_13_the_place_moves_on_an_error_or_a_lost_right(snow):
    snow.create(**small(size=5))
    snow.poll()
    since = snow.state().since
    made = inserted(snow, 12)
    with with_acl(snow, forbidden_tables=("incident",)):
        snow.poll()
    assert (snow.state().since, snow.state().failures) == (since, 1)
    snow.sandbox.faults.script([None, "server_error"])
    snow.poll()
    assert (snow.state().since, snow.state().failures) == (since, 2)
    snow.poll()
    assert snow.state().failures == 0
    assert ids(snow) == sorted(made)


@pytest.mark.parametrize("how", ["fault", "query_range"])
def test_pitfall_14_parts_of_the_query_are_dropped(snow, how):
    snow.create(**small())
    snow.clock.advance(timedelta(days=2))
    snow.poll()
    since = snow.state().since
    made = inserted(snow, 3)
    refused = {} if how == "fault" else {"range_refused": {"incident": ("sys_updated_on", "sys_id")}}
    if how == "fault":
        snow.sandbox.faults.script(["ignored_query"])
    with with_acl(snow, **refused):
        snow.poll()
    assert snow.told() == []
    assert (snow.state().since, snow.state().failures) == (since, 1)
    assert "ignored" in snow.state().failure or "query_range" in snow.state().failure
    snow.poll()
    assert ids(snow) == sorted(made)


@pytest.mark.parametrize("style", ["tail", "stray", "cut"])
def test_pitfall_15_heavy_pages_end_half_way(snow, style):
    snow.create()
    snow.clock.advance(10)
    made = inserted(snow, 200)
    with snow.switched(cancel_after=140, cancel_style=style):
        snow.poll()
    assert snow.state().failures == 0
    assert ids(snow) == sorted(made)


def test_pitfall_16_exact_counts_cost_time(snow):
    """The count of the window, a minute's rows, is what ends a poll without another request; no other is asked for."""
    url = entry("incidents")["url"] + "&sysparm_no_count=true"
    with pytest.raises(ConfigurationError, match="needs the number of rows to find the end of the list"):
        snow.create(**small(url=url))
    snow.create(**small(size=10))
    snow.clock.advance(10)
    made = inserted(snow, 10)
    before = snow.requests()
    snow.poll()
    assert ids(snow) == sorted(made)
    assert snow.requests() - before == 1
    assert all("sys_updated_on" in call.params["sysparm_query"] for call in asked(snow, "/table/incident"))
    assert all(call.params["sysparm_no_count"] == "true" for call in asked(snow, "/table/sys_user"))


def test_pitfall_17_comments_and_timers_move_the_stamp(snow):
    snow.create()
    snow.clock.advance(10)
    made = inserted(snow, 1)[0]
    snow.poll()
    for text in ("one", "two", "three"):
        snow.sandbox.update("incident", made, {"comments": text})
        snow.clock.advance(5)
    snow.sandbox.update("incident", made, {"work_notes": "four"})
    snow.poll()
    assert snow.told() == [("incidents", made, "CREATED", 1), ("incidents", made, "UPDATED", 2)]
