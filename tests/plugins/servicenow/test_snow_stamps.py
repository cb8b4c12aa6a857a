"""Stored dates are UTC, whatever an entry says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectory.errors import DatePatternError
from connectory_servicenow.resources import STAMP
from connectory_servicenow.stamps import stamp_codec

MOMENT = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
TEXT = "2024-05-01 10:00:00"


@pytest.mark.parametrize("zone", [None, "", "GMT", "UTC", "PST", "Europe/Oslo", "-08:00"])
def test_the_zone_of_the_entry_does_not_move_a_date(zone):
    codec = stamp_codec(STAMP, zone)
    assert codec.parse(TEXT) == MOMENT
    assert codec.format(MOMENT) == TEXT
    assert (codec.unit, codec.timezone) == (timedelta(seconds=1), UTC)


@pytest.mark.parametrize("zone", [None, "", "GMT", "Etc/UTC"])
def test_nothing_is_said_of_a_zone_that_is_right(zone):
    assert stamp_codec(STAMP, zone).warnings == ()


def test_a_zone_that_is_not_applied_is_said():
    (warning,) = stamp_codec(STAMP, "PST").warnings
    assert "PST is not applied" in warning


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(DatePatternError):
        stamp_codec(STAMP, "Mars/Olympus")


def test_values_with_labels_are_read_by_value():
    value = {"display_value": "05-01-2024 03:00:00 AM", "value": TEXT}
    assert stamp_codec(STAMP, "PST").parse(value) == MOMENT


@pytest.mark.parametrize("value", [{"display_value": "05-01-2024"}, {"value": ""}, "", None, {"value": None}, "5 May"])
def test_what_is_no_stored_date(value):
    with pytest.raises(ValueError, match=r"date|display"):
        stamp_codec(STAMP, None).parse(value)
