"""What each slot of a poll URL was filled with, read back from the URL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectory.plans.slots import slots_of

MOMENT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("${epoch:s}", "1767268800"),
        ("${epoch}", "1767268800000"),
        ("${epoch:us}", "1767268800000000"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm}", "2026-01-01T12:00"),
        ("${dateTimeZone:America/Denver:yyyy-MM-dd HH:mm}", "2026-01-01 05:00"),
    ],
)
def test_the_moment_of_a_slot_is_read_back(slot, value):
    (first, second) = slots_of(f"/x?a={slot}&b='{slot}'", f"/x?a={value}&b='{value}'")
    assert (
        (first.text, first.value, first.moment) == (second.text, second.value, second.moment) == (slot, value, MOMENT)
    )


def test_what_cannot_be_read_back_has_no_moment():
    assert [slot.moment for slot in slots_of("a=${epoch}", "a=soon")] == [None]
    assert [(slot.value, slot.moment) for slot in slots_of("a=${epoch}&b=1", "c=7")] == [(None, None)]
