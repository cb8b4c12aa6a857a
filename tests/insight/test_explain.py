"""`explain` says what the next poll does, and why, and does nothing itself."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.clock import from_micros
from connectory.errors import NotFoundError
from connectory.insight.explain import explain
from connectory.serialize import as_json, iso
from connectory.store.tables import metadata
from world import entry


def stored(snow) -> dict[str, list[tuple]]:
    """Everything that is in the store."""
    with snow.app.parts.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())] for table in metadata.sorted_tables
        }


def by_name(explanation, ids) -> dict[str, tuple[str, str, str | None]]:
    """Verdict, reason and warning of each record; one without an id is called `?`."""
    names = {object_id: name for name, object_id in ids.items()}
    return {
        names.get(record.id, "?"): (record.verdict, record.reason, record.warning) for record in explanation.records
    }


@pytest.fixture
def scene(snow):
    """Polled up to 12:01:55; then a tie at the bound, a late row, a hidden one, some whose dates cannot be read."""
    instance = snow.create()
    snow.poll(60)
    snow.clock.advance(10)
    ids = {name: snow.sandbox.insert("incident", {})["sys_id"] for name in ("told", "again")}
    snow.poll(50)
    since = from_micros(snow.state().since)
    places = {"tie": -60, "late": -30, "hidden": 0, "odd": 20, "odder": 21}
    for name, seconds in places.items():
        stamp = since + timedelta(seconds=seconds)
        ids[name] = snow.sandbox.insert("incident", {"short_description": name}, at=stamp)["sys_id"]
    snow.clock.advance(30)
    ids["old"] = next(key for key in snow.sandbox.tables["incident"] if key not in ids.values())
    for name in ("old", "again"):
        snow.sandbox.update("incident", ids[name], {"short_description": name})
    snow.clock.advance(30)
    garble(snow, ids["odd"], "sys_updated_on")
    garble(snow, ids["odder"], "sys_updated_on", "sys_created_on")
    acl = replace(snow.sandbox.switches.acl, hidden_rows={"incident": "short_description=hidden"}, hidden_as="empty")
    with snow.switched(acl=acl):
        yield instance, ids


def garble(snow, sys_id: str, *fields: str) -> None:
    row = snow.sandbox.tables["incident"][sys_id]
    for name in fields:
        row[name] = row[name][:-1] + "?"


PATTERN = "yyyy-MM-dd HH:mm:ss: its form is different"
START = "2026-03-01T12:00:55Z"


def golden(ids) -> dict[str, tuple[str, str, str | None]]:
    return {
        "tie": ("created", f"never announced; created {START}, in the window from {START}", None),
        "told": ("seen", "this version was announced already (event 1, remembered for the overlap)", None),
        "late": ("created", f"never announced; created 2026-03-01T12:01:25Z, in the window from {START}", None),
        "?": ("hidden", "it has no id: the login may not read it, or idField is wrong", None),
        "odd": (
            "created",
            f"never announced; created 2026-03-01T12:02:15Z, in the window from {START}",
            f"updated: '2026-03-01 12:02:1?' is not a date of the pattern {PATTERN}",
        ),
        "odder": (
            "updated",
            f"incidents {ids['odder']} has no readable date",
            (
                f"updated: '2026-03-01 12:02:1?' is not a date of the pattern {PATTERN};"
                f" created: '2026-03-01 12:02:1?' is not a date of the pattern {PATTERN}"
            ),
        ),
        "again": (
            "updated",
            (
                "version '2026-03-01 12:02:30|1' is new; '2026-03-01 12:01:10|0' was announced"
                " (event 1, remembered for the overlap)"
            ),
            None,
        ),
        "old": (
            "updated",
            (
                f"never announced; created 2026-02-13T05:44:58Z, before the window from {START},"
                " and updated 16 days, 6:17:32 later: more than createdCheckTolerance (0 s)"
            ),
            None,
        ),
    }


def test_each_record_gets_its_verdict_and_its_reason(snow, scene):
    instance, ids = scene
    explanation = explain(snow.app.parts, instance, "incidents")
    assert by_name(explanation, ids) == golden(ids)
    assert explanation.totals == {"created": 3, "updated": 3, "seen": 1, "hidden": 1}
    assert explanation.would_announce == {"CREATED": 3, "UPDATED": 3}
    assert explanation.failure is None


def test_the_window_is_reckoned_step_by_step(snow, scene):
    instance, _ = scene
    explanation = explain(snow.app.parts, instance, "incidents")
    assert [(step.what, iso(step.moment)[11:-1]) for step in explanation.window] == [
        ("since", "12:01:55"),
        ("- overlap", "12:00:55"),
        ("not before", "12:00:00"),
        ("start", "12:00:55"),
        ("rendered", "12:00:54"),
        ("now", "12:03:00"),
        ("provider's now", "12:03:00"),
        ("- settle", "12:02:55"),
        ("end", "12:02:55"),
    ]
    assert explanation.url == "/hubs/helpdesk/incidents?where=sys_updated_on>'2026-03-01T12:00:54'"
    assert explanation.query == "sys_updated_on > '2026-03-01T12:00:54'"
    assert [slot.value for slot in explanation.slots] == ["2026-03-01T12:00:54"]
    assert [(page.number, page.rows, page.hidden, page.total) for page in explanation.pages] == [
        (1, 8, 1, 8),
        (2, 0, 0, 0),
    ]
    assert iso(explanation.next_since) == "2026-03-01T12:02:55Z"


def test_it_says_what_the_poll_then_does(snow, scene):
    instance, _ = scene
    explanation = explain(snow.app.parts, instance, "incidents")
    before = len(snow.told())
    snow.poll(0)
    announced = {(event[1], event[2].lower(), event[3]) for event in snow.told()[before:]}
    assert announced == {(r.id, r.verdict, r.sequence) for r in explanation.records if r.sequence is not None}
    assert from_micros(snow.state().since) == explanation.next_since


def test_nothing_is_written_and_no_other_instance_of_the_answer_is_kept(snow, scene):
    instance, _ = scene
    before, offset = stored(snow), snow.app.parts.runtimes.get(instance).clock_offset
    snow.sandbox.clock.skew(20)
    explain(snow.app.parts, instance, "incidents")
    assert stored(snow) == before
    assert snow.app.parts.runtimes.get(instance).clock_offset == offset


def test_the_answer_is_json_without_secrets(snow):
    configuration = {"incidents": entry("incidents", url=f"{entry('incidents')['url']}&api_key=hush")}
    instance = snow.create(**{"event.poller.configuration": configuration})
    snow.poll()
    text = json.dumps(as_json(explain(snow.app.parts, instance, "incidents")))
    assert "hush" not in text
    assert {"nextSince", "wouldAnnounce", "recordsLeftOut"} <= json.loads(text).keys()


def test_a_provider_that_is_ahead_is_seen(snow):
    instance = snow.create()
    snow.poll()
    snow.sandbox.clock.skew(20)
    steps = {step.what: step for step in explain(snow.app.parts, instance, "incidents").window}
    assert steps["provider's now"].note == "+20 s from ours, the Date of its first answer"


def test_a_first_window_is_cut_where_memory_begins(snow):
    instance = snow.create()
    snow.clock.advance(20)
    explanation = explain(snow.app.parts, instance, "incidents")
    assert iso(explanation.start) == "2026-03-01T12:00:00Z"
    assert "starts here" in explanation.window[2].note


def test_the_poll_delay_has_a_step_of_its_own(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pollDelay=120)}})
    assert [
        step.note for step in explain(snow.app.parts, instance, "incidents").window if step.what == "- pollDelay"
    ] == ["120 s, from the entry"]


def test_records_that_no_right_shows_are_noticed(snow):
    instance = snow.create()
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {"short_description": "hidden"})
    snow.clock.advance(50)
    acl = replace(snow.sandbox.switches.acl, hidden_rows={"incident": "short_description=hidden"})
    with snow.switched(acl=acl):
        explanation = explain(snow.app.parts, instance, "incidents")
    assert explanation.notes == ("the provider's count is 1, but it shows 0: the login has no right to see the others",)


def test_a_failing_provider_is_an_explanation_too(snow):
    instance = snow.create()
    snow.poll()
    with snow.switched(bad_gateway=True):
        explanation = explain(snow.app.parts, instance, "incidents")
    assert explanation.failure.type == "RetryLater"
    assert (explanation.next_since, explanation.would_announce) == (None, {})
    assert explanation.error.exit_code == 4


def test_an_ignored_filter_is_shown_on_the_record_that_betrays_it(snow):
    instance = snow.create()
    snow.poll(7200)
    snow.poll(7200)
    snow.poll(7200)
    acl = replace(snow.sandbox.switches.acl, range_refused={"incident": ("sys_updated_on",)})
    with snow.switched(acl=acl):
        explanation = explain(snow.app.parts, instance, "incidents")
    assert "ignored the filter" in explanation.failure.message
    assert explanation.records[-1].verdict == "before the window"
    assert "ignored the filter" in explanation.records[-1].reason


def test_pages_that_are_too_heavy_are_asked_for_in_halves(snow):
    instance = snow.create()
    snow.clock.advance(10)
    for _ in range(300):
        snow.sandbox.insert("incident", {})
    snow.clock.advance(60)
    with snow.switched(cancel_after=260):
        explanation = explain(snow.app.parts, instance, "incidents")
    assert explanation.totals == {"created": 300}
    assert "asked again for 500" in explanation.notes[0]


def test_beyond_ten_thousand_records_are_only_counted(snow, monkeypatch):
    monkeypatch.setattr("connectory.insight.judging.MOST_RECORDS", 2)
    instance = snow.create(**{"event.poller.first_poll": "all"})
    explanation = explain(snow.app.parts, instance, "incidents")
    assert (len(explanation.records), explanation.records_left_out, explanation.totals) == (2, 1, {"created": 3})


def test_a_window_that_has_not_begun_asks_nothing(snow):
    instance = snow.create()
    before = snow.requests()
    explanation = explain(snow.app.parts, instance, "incidents", now=snow.clock.now() - timedelta(hours=1))
    assert snow.requests() == before
    assert "nothing to ask yet" in explanation.notes[0]
    assert as_json(explanation)["start"] is None


def test_what_an_instance_does_not_poll_is_not_found(snow):
    instance = snow.create()
    with pytest.raises(NotFoundError):
        explain(snow.app.parts, instance, "accounts")
    with pytest.raises(NotFoundError):
        explain(snow.app.parts, 99, "incidents")


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_it_foretells_the_next_poll(snow, seed):
    dice = random.Random(seed)
    instance = snow.create(
        **{"event.poller.configuration": {"incidents": entry("incidents", pageSize=dice.choice([2, 3, 1000]))}}
    )
    for _ in range(12):
        for _ in range(dice.randrange(4)):
            happen(snow, dice)
        snow.clock.advance(60)
        told = snow.told()
        with snow.switched(bad_gateway=dice.random() < 0.1):
            foretold = explain(snow.app.parts, instance, "incidents")
            snow.poll(0)
        announced = [(event[1], event[2].lower(), event[3]) for event in snow.told()[len(told) :]]
        said = [(record.id, record.verdict, record.sequence) for record in foretold.records if record.sequence]
        state = snow.state()
        assert sorted(announced) == sorted(said)
        assert (state.failure is None) == (foretold.failure is None)
        if foretold.next_since is not None:
            assert from_micros(state.since) == foretold.next_since


def happen(snow, dice: random.Random) -> None:
    """Somebody creates or changes a record, on time or late, and the provider's clock goes wrong."""
    ids = list(snow.sandbox.tables["incident"])
    since = from_micros(snow.state().since)
    snow.clock.advance(dice.choice([0, 1, 7]))
    match dice.randrange(5):
        case 0:
            snow.sandbox.insert("incident", {})
        case 1:
            snow.sandbox.insert("incident", {}, at=since - timedelta(seconds=dice.choice([0, 1, 59, 60, 61])))
        case 2:
            snow.sandbox.update("incident", dice.choice(ids), {"short_description": str(dice.random())})
        case 3:
            garble(snow, dice.choice(ids), dice.choice(["sys_updated_on", "sys_created_on"]))
        case _:
            snow.sandbox.clock.skew(dice.choice([-20, 0, 20]))


def test_what_changed_in_ignored_fields_only_is_told_apart(snow):
    ignoring = entry("incidents", trackChanges=True, ignoreFields=["short_description"])
    instance = snow.create(**{"event.poller.configuration": {"incidents": ignoring}})
    snow.clock.advance(10)
    noise, news = (snow.sandbox.insert("incident", {"short_description": "noise"})["sys_id"] for _ in range(2))
    snow.poll(60)
    snow.clock.advance(10)
    snow.sandbox.update("incident", noise, {"short_description": "louder"})
    snow.sandbox.update("incident", news, {"urgency": "1", "short_description": "louder"})
    snow.clock.advance(60)
    explanation = explain(snow.app.parts, instance, "incidents")
    verdicts = {record.id: (record.verdict, record.sequence) for record in explanation.records}
    assert verdicts == {noise: ("ignored", None), news: ("updated", 2)}
    before = len(snow.told())
    snow.poll(0)
    assert snow.told()[before:] == [("incidents", news, "UPDATED", 2)]
