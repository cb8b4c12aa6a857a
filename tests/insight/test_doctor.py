"""What `connect doctor` asks, and what it says of the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.insight.doctor import CheckState, diagnose
from shelf import SWEEP, Shelf
from world import entry


def found(app, instance, **options):
    return {check.check: check for check in diagnose(app, instance, **options)}


def states(checks):
    return {name: check.state.value for name, check in checks.items()}


def test_a_healthy_instance(snow):
    checks = found(snow.app.parts, snow.create("incidents", "contacts"))
    assert states(checks) == {"login": "ok", "clock": "ok", "read incidents": "ok", "read contacts": "ok"}
    assert "changed 2026-0" in checks["read incidents"].detail


def test_nothing_is_announced_remembered_or_moved(snow):
    instance = snow.create()
    snow.poll()
    before = snow.state()
    found(snow.app.parts, instance, all_deletions=True)
    assert (snow.told(), snow.state()) == ([], before)


def test_deletions_are_looked_at_where_they_are_tracked_or_wherever_they_could_be(snow):
    configuration = {
        "event.poller.configuration": {"incidents": entry("incidents", trackDeletes=True), "agents": entry("agents")}
    }
    instance = snow.create(**configuration)
    assert "deletions of agents" not in found(snow.app.parts, instance)
    checks = found(snow.app.parts, instance, all_deletions=True)
    assert checks["deletions of incidents"].state is CheckState.OK
    assert "role admin" in checks["deletions of incidents"].hint
    assert checks["deletions of agents"].state is CheckState.OK


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("login_html", 4, "login page"),
        ("hibernate", 4, "asleep"),
        ("bad_gateway", 4, "502"),
        ("cut_json", 4, "is incomplete"),
    ],
)
def test_a_provider_that_does_not_answer_ends_the_checks(snow, fault, code, says):
    instance = snow.create()
    snow.sandbox.faults.always([fault])
    checks = found(snow.app.parts, instance)
    assert states(checks) == {"login": "failed"}
    assert (checks["login"].exit_code, says in checks["login"].detail) == (code, True)


def test_a_login_that_is_gone_says_how_to_get_another(snow):
    instance = snow.create()
    snow.sandbox.authority.expire("all")
    checks = found(snow.app.parts, instance)
    assert states(checks) == {"login": "failed"}
    assert checks["login"].hint == f"log in again: connect instances reauth {instance}"


@pytest.mark.parametrize(("seconds", "says"), [(300, "300 seconds ahead of ours"), (-90, "90 seconds behind ours")])
def test_clocks_that_differ(snow, seconds, says):
    instance = snow.create()
    snow.sandbox.clock.skew(seconds)
    clock = found(snow.app.parts, instance)["clock"]
    assert (clock.state, says in clock.detail) == (CheckState.WARNING, True)


@pytest.mark.parametrize(
    ("wrong", "state", "says"),
    [
        ({"idField": "number_of_nothing"}, CheckState.FAILED, "'number_of_nothing'"),
        (
            {"datesConfiguration": {"updatedDateField": "short_description", "updatedDateFormat": "yyyy"}},
            CheckState.WARNING,
            "the updated date of record",
        ),
    ],
)
def test_fields_that_are_not_what_the_configuration_says(snow, wrong, state, says):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", **wrong)}})
    check = found(snow.app.parts, instance)["read incidents"]
    assert (check.state, says in check.detail) == (state, True)


def test_a_right_that_deletions_take_and_the_login_has_not(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", trackDeletes=True)}})
    with snow.switched(acl=replace(snow.sandbox.switches.acl, forbidden_tables=("sys_audit_delete",))):
        check = found(snow.app.parts, instance)["deletions of incidents"]
    assert (check.state, check.exit_code) == (CheckState.FAILED, 4)


def test_an_alarm_names_the_command_that_ends_it(tmp_path):
    with Shelf(tmp_path, SWEEP) as shelf:
        for number in range(40):
            shelf.put(f"{number:02}")
        shelf.clock.advance(3600)
        instance = shelf.create()
        shelf.poll()
        for number in range(20):
            shelf.remove(f"{number:02}")
        shelf.poll()
        check = found(shelf.app.parts, instance)["deletions of things"]
        assert check.state is CheckState.WARNING
        assert check.hint.endswith(f"connect instances allow-mass-delete {instance} things")


def test_a_quiet_resource_is_not_taken_for_a_broken_one(snow):
    snow.clock.advance(timedelta(days=400))
    instance = snow.create()
    assert "nothing has changed in 30 days" in found(snow.app.parts, instance)["read incidents"].detail
