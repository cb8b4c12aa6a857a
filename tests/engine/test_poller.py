"""One poll after another against the sandbox: what is announced, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from connectory.clock import from_micros
from connectory.engine.poller import Observer
from world import entry


def test_nothing_that_was_there_before_is_announced(snow):
    snow.create()
    assert snow.poll() == 1
    assert snow.told() == []


def test_created_then_updated_then_nothing(snow):
    snow.create()
    snow.clock.advance(10)
    incident = snow.sandbox.insert("incident", {"short_description": "the printer is on fire"})["sys_id"]
    snow.poll()
    assert snow.told() == [("incidents", incident, "CREATED", 1)]
    snow.sandbox.update("incident", incident, {"short_description": "it still is"})
    snow.poll()
    assert snow.told()[1:] == [("incidents", incident, "UPDATED", 2)]
    snow.poll()
    snow.poll()
    assert len(snow.told()) == 2


def test_what_is_paused_while_its_first_resource_is_polled_polls_no_other(snow):
    instance = snow.create("incidents", "accounts")
    snow.clock.advance(60)
    polled = []

    class Pausing(Observer):
        def polled(self, summary):
            polled.append(summary.pages)
            snow.engine.instances.pause(instance)

    assert snow.engine.scheduler(observer=Pausing()).run_once() == 2
    assert polled == [1, 0]


def test_what_is_paused_while_other_instances_are_polled_is_not_polled_a_second_later(snow):
    instances = {snow.create(), snow.create()}
    assert snow.poll() == 2
    snow.clock.advance(60)
    polled = []

    class Pausing(Observer):
        def polled(self, summary):
            polled.append(summary.pages)
            if len(polled) == 1:
                snow.clock.advance(2)
                snow.engine.instances.pause((instances - {summary.instance_id}).pop())

    assert snow.engine.scheduler(observer=Pausing()).run_once() == 2
    assert polled == [1, 0]


def test_an_old_record_that_changes_is_updated(snow):
    snow.create()
    snow.clock.advance(10)
    incident = next(iter(snow.sandbox.tables["incident"]))
    snow.sandbox.update("incident", incident, {"short_description": "changed"})
    snow.poll()
    assert snow.told() == [("incidents", incident, "UPDATED", 1)]


def test_records_that_share_one_second_at_the_windows_bound_are_announced_once(snow):
    snow.create()
    snow.poll()
    made = []
    for _ in range(4):
        # The bound of the next window lies five seconds back: make records on, before and after it, poll in between.
        made += [snow.sandbox.insert("incident", {"short_description": f"{number}"})["sys_id"] for number in range(3)]
        snow.poll(60)
        stamp = from_micros(snow.state().since)
        made.append(snow.sandbox.insert("incident", {"short_description": "late"}, at=stamp)["sys_id"])
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)


def test_records_that_appear_late_within_the_overlap_are_announced_once(snow):
    snow.create()
    snow.poll()
    since = from_micros(snow.state().since)
    late = [
        snow.sandbox.insert("incident", {"short_description": "late"}, at=since - timedelta(seconds=back))["sys_id"]
        for back in (0, 1, 30, 54)
    ]
    too_late = snow.sandbox.insert("incident", {}, at=since - timedelta(minutes=3))["sys_id"]
    snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(late)
    assert too_late not in {told[1] for told in snow.told()}


def test_an_idle_poll_is_one_request(snow):
    snow.create()
    snow.poll()
    before = snow.requests()
    snow.poll()
    assert snow.requests() - before == 1


def test_the_cursor_never_moves_back_and_a_failing_poll_does_not_move_it(snow):
    snow.create()
    snow.poll()
    since = snow.state().since
    with snow.switched(bad_gateway=True):
        snow.poll()
    state = snow.state()
    assert (state.since, state.failures) == (since, 1)
    assert state.next_due_at - state.failed_at <= 6_000_000
    snow.poll()
    assert snow.state().since > since
    assert snow.state().failures == 0


def test_a_missed_poll_is_covered_by_the_next(snow):
    snow.create()
    snow.poll()
    made = []
    for _ in range(5):
        snow.clock.advance(3600)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
    snow.poll(3600)
    assert [told[1] for told in snow.told()] == made


def test_contacts_and_agents_are_the_same_table_and_both_announced(snow):
    snow.create("contacts", "agents", "accounts", "incidents")
    snow.clock.advance(10)
    user = snow.sandbox.insert("sys_user", {"user_name": "ann", "first_name": "Ann"})["sys_id"]
    company = snow.sandbox.insert("core_company", {"name": "Birch"})["sys_id"]
    snow.poll()
    assert sorted(snow.told()) == [
        ("accounts", company, "CREATED", 1),
        ("agents", user, "CREATED", 1),
        ("contacts", user, "CREATED", 1),
    ]


def test_edits_at_the_same_time_add_up(snow):
    instance, names = snow.create(), ("incidents", "agents", "accounts", "contacts")
    keys = [f"servicenow.{name}.filter" for name in names]
    with ThreadPoolExecutor(4) as pool:
        edit = snow.engine.instances.update
        list(pool.map(lambda key: edit(instance, configuration={key: "active=true"}), keys))
    config = snow.engine.runtimes.get(instance).config
    assert [config[key] for key in keys] == ["active=true"] * 4


def test_an_edit_of_the_configuration_never_touches_the_cursor_nor_announces_again(snow):
    instance = snow.create()
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.poll()
    for _ in range(3):
        snow.poll(600)
    since = snow.state().since
    longer = {"event.poller.configuration": {"incidents": entry("incidents", overlap=7200, pollDelay=600)}}
    snow.engine.instances.update(instance, configuration=longer)
    assert snow.state().since == since
    snow.poll()
    assert len(snow.told()) == 1


def test_an_instance_that_is_paused_is_not_polled_and_loses_nothing(snow):
    instance = snow.create()
    snow.engine.instances.pause(instance)
    snow.clock.advance(10)
    incident = snow.sandbox.insert("incident", {})["sys_id"]
    assert snow.poll() == 0
    snow.engine.instances.resume(instance)
    assert snow.poll() == 1
    assert [told[1] for told in snow.told()] == [incident]


def test_a_page_that_is_too_heavy_is_asked_for_again_in_halves(snow):
    snow.create()
    snow.clock.advance(10)
    made = [snow.sandbox.insert("incident", {})["sys_id"] for _ in range(300)]
    with snow.switched(cancel_after=260):
        snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)


def test_all_is_announced_from_the_beginning_where_that_is_asked_for(snow):
    snow.create(**{"event.poller.first_poll": "all"})
    snow.poll()
    assert len(snow.told()) == len(snow.sandbox.tables["incident"])
    assert {told[2] for told in snow.told()} == {"CREATED"}


def test_the_providers_clock_counts_not_ours(snow):
    for skew in (-30, 30):
        snow.sandbox.clock.skew(skew)
    snow.create()
    snow.poll()
    made = []
    for seconds in (5, 20, 40):
        snow.clock.advance(seconds)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
        snow.poll()
    snow.poll()
    assert [told[1] for told in snow.told()] == made


@pytest.mark.parametrize("fault", ["cut_json", "partial_200", "hibernate", "login_html", "server_error", "semaphore"])
def test_a_fault_in_mid_list_announces_nothing_twice_and_loses_nothing(snow, fault):
    snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=10)}})
    snow.clock.advance(10)
    made = [snow.sandbox.insert("incident", {})["sys_id"] for _ in range(35)]
    snow.sandbox.faults.script([None, None, fault])
    snow.poll()
    snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)
    assert snow.state().failures == 0
