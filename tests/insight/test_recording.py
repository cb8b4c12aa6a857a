"""A poll is recorded, and explained again without its provider and without a store."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from connectory.clock import from_micros
from connectory.errors import ConfigurationError, StoreError
from connectory.insight.explain import explain
from connectory.insight.recorder import recording_scheduler
from connectory.insight.recording import RecordingFile, load_recording
from connectory.insight.replay import replay
from connectory.plugins import Plugins
from connectory.serialize import as_json
from world import entry


@pytest.fixture
def plugins():
    return Plugins.load(["servicenowoauth"])


def record(snow, instance: int, path, after: float = 0) -> int:
    snow.clock.advance(after)
    with RecordingFile(path) as file:
        return recording_scheduler(snow.app.parts, file, [instance]).run_once()


def scene(snow, **more) -> int:
    """Announced records, and then a new one, a changed one, a late one, and one that rights hide."""
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=2)}} | more)
    snow.poll(60)
    snow.clock.advance(30)
    told = [snow.sandbox.insert("incident", {})["sys_id"] for _ in range(3)]
    snow.poll(30)
    since = from_micros(snow.state().since)
    snow.sandbox.insert("incident", {}, at=since - timedelta(seconds=10))
    snow.clock.advance(20)
    snow.sandbox.insert("incident", {"short_description": "hidden"})
    snow.sandbox.insert("incident", {"short_description": "my password: hunter22"})
    snow.sandbox.update("incident", told[0], {"short_description": "changed"})
    snow.clock.advance(40)
    acl = replace(snow.sandbox.switches.acl, hidden_rows={"incident": "short_description=hidden"}, hidden_as="empty")
    snow.sandbox.switches = replace(snow.sandbox.switches, acl=acl)
    return instance


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["poll.jsonl", "poll.jsonl.gz"])
def test_a_replay_says_what_explain_said_before_the_poll(snow, tmp_path, plugins, name):
    instance = scene(snow)
    said = as_json(explain(snow.app.parts, instance, "incidents"))
    assert record(snow, instance, tmp_path / name) == 1
    again = as_json(replay(plugins, load_recording(tmp_path / name, "incidents")))
    # The text of one record was scrubbed.
    for explanation in (said, again):
        for page in explanation["pages"]:
            del page["bytes"]
    assert again == said
    assert again["wouldAnnounce"] == {"CREATED": 2, "UPDATED": 1}
    assert again["totals"]["hidden"] == 1


def test_the_poll_is_run_and_recorded_at_once(snow, tmp_path):
    instance = scene(snow)
    before = len(snow.told())
    record(snow, instance, tmp_path / "poll.jsonl")
    assert len(snow.told()) - before == 3
    kinds = [line["kind"] for line in lines(tmp_path / "poll.jsonl")]
    assert kinds == ["poll", *["exchange"] * (len(kinds) - 2), "end"]
    assert (tmp_path / "poll.jsonl").stat().st_mode & 0o077 == 0


def test_no_secret_is_written(snow, tmp_path, plugins):
    url = f"{entry('incidents')['url']}&api_key=hush"
    configuration = {"incidents": entry("incidents", url=url)}
    instance = scene(snow, **{"event.poller.configuration": configuration, "event.notification.signature.key": "s1gn"})
    token = snow.app.parts.tokens.load(instance)
    snow.sandbox.insert("incident", {"short_description": f"is {token.access_token.reveal()} a token?"})
    snow.clock.advance(60)
    record(snow, instance, tmp_path / "poll.jsonl")
    text = (tmp_path / "poll.jsonl").read_text()
    for secret in ("hunter22", "hush", "sandbox-secret", "s1gn", token.access_token.reveal(), "Bearer"):
        assert secret not in text
    assert replay(plugins, load_recording(tmp_path / "poll.jsonl")).failure is None


def test_a_content_hash_survives_the_scrubbing(snow, tmp_path, plugins):
    undated = entry("incidents") | {"url": "/hubs/helpdesk/incidents", "datesConfiguration": {"updatedDateField": "x"}}
    instance = snow.create(**{"event.poller.configuration": {"incidents": undated}})
    snow.sandbox.insert("incident", {"short_description": "my password: hunter22"})
    snow.poll(60)
    snow.sandbox.insert("incident", {})
    snow.clock.advance(60)
    totals = explain(snow.app.parts, instance, "incidents").totals
    record(snow, instance, tmp_path / "poll.jsonl")
    assert "hunter22" not in (tmp_path / "poll.jsonl").read_text()
    assert replay(plugins, load_recording(tmp_path / "poll.jsonl")).totals == totals == {"seen": 1, "created": 1}


@pytest.mark.parametrize("fault", ["cut_json", "hibernate", "server_error", "drop"])
def test_a_poll_that_failed_fails_again(snow, tmp_path, plugins, fault):
    instance = scene(snow)
    snow.sandbox.faults.script([None, fault] if fault != "drop" else [None])
    if fault == "drop":
        snow.applications.clear()
    record(snow, instance, tmp_path / "poll.jsonl")
    explanation = replay(plugins, load_recording(tmp_path / "poll.jsonl"))
    assert explanation.failure.message == snow.state().failure == lines(tmp_path / "poll.jsonl")[-1]["failure"]


def test_a_page_that_was_halved_is_halved_again(snow, tmp_path, plugins):
    instance = snow.create()
    snow.clock.advance(10)
    for _ in range(300):
        snow.sandbox.insert("incident", {})
    snow.clock.advance(60)
    with snow.switched(cancel_after=260):
        said = explain(snow.app.parts, instance, "incidents")
        record(snow, instance, tmp_path / "poll.jsonl")
    assert replay(plugins, load_recording(tmp_path / "poll.jsonl")) == said
    assert said.totals == {"created": 300}


def test_each_resource_of_a_file_is_found_by_its_name(snow, tmp_path, plugins):
    instance = snow.create("incidents", "accounts")
    assert record(snow, instance, tmp_path / "poll.jsonl", 60) == 2
    assert replay(plugins, load_recording(tmp_path / "poll.jsonl", "accounts")).resource == "accounts"
    with pytest.raises(ConfigurationError, match="no poll of contacts"):
        load_recording(tmp_path / "poll.jsonl", "contacts")
    with pytest.raises(ConfigurationError, match="has several polls"):
        load_recording(tmp_path / "poll.jsonl")


def rewritten(path, change) -> None:
    kept = change(lines(path))
    path.write_text("".join(f"{json.dumps(line)}\n" for line in kept))


def without_exchange(number: int):
    def change(found: list[dict]) -> list[dict]:
        kept = [*found[:number], *found[number + 1 :]]
        kept[-1]["exchanges"] -= 1
        return kept

    return change


def test_a_page_that_is_lacking_is_an_error_that_says_so(snow, tmp_path, plugins):
    instance = scene(snow)
    record(snow, instance, tmp_path / "poll.jsonl")
    path = tmp_path / "poll.jsonl"
    whole = path.read_text()
    rewritten(path, without_exchange(2))
    with pytest.raises(ConfigurationError, match=r"the poll asks for .*sys_id>.*but the recording has .* there"):
        replay(plugins, load_recording(path))
    path.write_text(whole)
    rewritten(path, without_exchange(len(lines(path)) - 2))
    with pytest.raises(ConfigurationError, match="the recording ends before that"):
        replay(plugins, load_recording(path))


def test_a_page_that_nobody_asks_for_is_an_error_that_says_so(snow, tmp_path, plugins):
    instance = scene(snow)
    path = tmp_path / "poll.jsonl"
    record(snow, instance, path)

    def twice(found: list[dict]) -> list[dict]:
        found[-1]["exchanges"] += 1
        return [*found[:-1], *found[-2:]]

    rewritten(path, twice)
    with pytest.raises(ConfigurationError, match="the poll does not ask for all recorded requests: 1 left") as raised:
        replay(plugins, load_recording(path))
    assert "it was recorded with connectory" in raised.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no poll"),
        (b"{}\n", "not a recording"),
        (b"not json\n", "not a recording"),
        (b'{"kind":"end","exchanges":3}\n', "incomplete"),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(tmp_path, content, message):
    (tmp_path / "poll.jsonl").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        load_recording(tmp_path / "poll.jsonl", "incidents")


def test_a_recording_that_was_cut_short_is_not_whole(snow, tmp_path):
    instance = scene(snow)
    path = tmp_path / "poll.jsonl"
    record(snow, instance, path)
    rewritten(path, lambda found: found[:-1])
    with pytest.raises(ConfigurationError, match="incomplete"):
        load_recording(path)
    record(snow, instance, tmp_path / "poll.jsonl.gz", 60)
    packed = (tmp_path / "poll.jsonl.gz").read_bytes()
    (tmp_path / "poll.jsonl.gz").write_bytes(packed[:-20])
    with pytest.raises(ConfigurationError, match="not a recording"):
        load_recording(tmp_path / "poll.jsonl.gz")


def test_another_format_is_refused(snow, tmp_path):
    instance = scene(snow)
    path = tmp_path / "poll.jsonl"
    record(snow, instance, path)
    rewritten(path, lambda found: [{**found[0], "format": 2}, *found[1:]])
    with pytest.raises(ConfigurationError, match="format 2"):
        load_recording(path)


def test_files_that_cannot_be_opened_are_explained(tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        RecordingFile(tmp_path / "missing" / "poll.jsonl")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_recording(tmp_path / "poll.jsonl")
    (tmp_path / "poll.gz").write_bytes(gzip.compress(b"") + b"rubbish")
    with pytest.raises(ConfigurationError):
        load_recording(tmp_path / "poll.gz")


def test_what_was_ignored_is_ignored_again(snow, tmp_path, plugins):
    ignoring = entry("incidents", ignoreFields=["short_description"])
    instance = snow.create(**{"event.poller.configuration": {"incidents": ignoring}})
    snow.clock.advance(10)
    noise = snow.sandbox.insert("incident", {"short_description": "noise"})["sys_id"]
    snow.poll(60)
    snow.sandbox.update("incident", noise, {"short_description": "louder"})
    snow.clock.advance(60)
    said = explain(snow.app.parts, instance, "incidents")
    record(snow, instance, tmp_path / "poll.jsonl")
    assert replay(plugins, load_recording(tmp_path / "poll.jsonl")) == said
    assert said.totals == {"ignored": 1}


def test_what_a_receiver_is_asked_with_is_not_recorded(snow, tmp_path):
    url = "https://example.com/events?token=one&sig=two&key=three"
    instance = snow.create(**{"event.notification.callback.url": url})
    file = tmp_path / "poll.jsonl"
    record(snow, instance, file, 60)
    text = file.read_text()
    assert "https://example.com/events?" in text
    assert not any(secret in text for secret in ("=one", "=two", "=three"))
