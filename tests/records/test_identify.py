"""Reading a page's records: the whole ones are decoded once, and only if they are needed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectory.records.identify import identify
from toy import DATES, Toy


@pytest.fixture
def toy(tmp_path):
    with Toy(tmp_path) as opened:
        yield opened


def decodings(toy, monkeypatch) -> list[int]:
    """The sizes of the bodies whose records were decoded whole."""
    runtime = toy.app.parts.runtimes.get(1)
    plan = runtime.plan("things")
    sizes = []

    def raws(body):
        sizes.append(len(body))
        return plan.raws(body)

    counted = replace(plan, raws=raws, version=plan.object_id)
    monkeypatch.setattr(runtime, "plans", {"things": counted})
    return sizes


def test_a_page_is_decoded_whole_once_if_it_has_news_and_never_without(toy, monkeypatch):
    entry = {"url": "/hubs/general/things", "idField": "id", "datesConfiguration": DATES, "trackChanges": True}
    toy.create(**{"event.poller.configuration": {"things": entry}})
    toy.poll()
    sizes = decodings(toy, monkeypatch)
    toy.add(15)
    toy.poll()
    assert len(toy.told()) == 15
    assert len(sizes) == 2, "two pages, each decoded by what compares, remembers and announces"
    toy.poll()
    assert len(sizes) == 2


def test_records_without_a_counter_are_hashed_from_the_same_decoding(toy, monkeypatch):
    toy.create()
    plan = toy.app.parts.runtimes.get(1).plan("things")
    calls = []
    counted = replace(plan, raws=lambda body: calls.append(body) or plan.raws(body))
    records = identify(counted, b'[{"id": "a", "updated": ""}, {"name": "x"}]')
    assert (records.ids[0], len(records.versions), records.usable) == ("a", 2, 2)
    assert [bytes(raw) for raw in records.raws] == [b'{"id": "a", "updated": ""}', b'{"name": "x"}']
    assert len(calls) == 1
