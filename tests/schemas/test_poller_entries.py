"""Poller entries: what the keys are called, and what they are by default."""

from __future__ import annotations

from datetime import timedelta

import pytest
from marshmallow import ValidationError

from connectory.model import DatesConfiguration, PollerEntry, TrackChanges, TrackDeletes
from connectory.schemas import PollerConfiguration


def entry(**more: object) -> PollerEntry:
    return PollerConfiguration().deserialize({"orders": {"url": "/orders", **more}})["orders"]


def test_what_is_left_out_has_the_defaults_of_the_model():
    assert entry() == PollerEntry(url="/orders")
    assert entry(trackDeletes=True, trackChanges=True, datesConfiguration={}) == PollerEntry(
        url="/orders", track_deletes=TrackDeletes(), track_changes=TrackChanges(), dates=DatesConfiguration()
    )


def test_null_is_taken_where_the_default_is_none():
    keys = ("pageSize", "overlap", "trackDeletes", "trackChanges")
    assert entry(**dict.fromkeys(keys)) == PollerEntry(url="/orders")
    assert entry(trackDeletes={"interval": None, "confirm": None}).track_deletes == TrackDeletes()


def test_every_key_reaches_the_model():
    given = entry(
        idField="id",
        filterByUpdatedDate=False,
        filterByCurrentDate=True,
        createdCheckTolerance="2",
        pageSize=7,
        pollDelay=3,
        overlap=1.5,
        trackDeletes={"interval": 60, "maxShare": 0.5, "confirm": True},
        trackChanges={"previous": True},
        ignoreFields=["a", "b"],
        datesConfiguration={"updatedDateField": "u", "createdDateTimezone": "UTC", "stray": 1},
    )
    assert given == PollerEntry(
        url="/orders",
        id_field="id",
        filter_by_updated_date=False,
        filter_by_current_date=True,
        created_check_tolerance=timedelta(seconds=2),
        page_size=7,
        poll_delay=timedelta(seconds=3),
        overlap=timedelta(seconds=1.5),
        track_deletes=TrackDeletes(interval=timedelta(hours=1), max_share=0.5, confirm=True),
        track_changes=TrackChanges(previous=True),
        ignore_fields=("a", "b"),
        dates=DatesConfiguration(updated_field="u", created_timezone="UTC"),
    )


def test_the_other_spelling_is_accepted():
    assert entry(filterByUpdateDate=False).filter_by_updated_date is False


def test_each_wrong_entry_is_named():
    with pytest.raises(ValidationError) as caught:
        PollerConfiguration().deserialize({"a": {}, "b": {"url": "/b"}, "c": "x"})
    assert sorted(caught.value.messages) == ["a", "c"]
