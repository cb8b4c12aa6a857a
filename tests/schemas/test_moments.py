"""Dates that people write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectory.schemas import MOMENT_RANGE, parse_first_poll, parse_moment


@pytest.mark.parametrize(
    ("policy", "moment"),
    [
        ("now", datetime(2026, 5, 1, tzinfo=UTC)),
        ("all", datetime(1970, 1, 2, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_first_poll(policy, moment):
    assert parse_first_poll(policy, datetime(2026, 5, 1, tzinfo=UTC)) == moment


@pytest.mark.parametrize("text", ["1970-12-31", "3000-01-01T00:00:00Z"])
def test_years_that_arithmetic_cannot_bear_are_refused(text):
    with pytest.raises(ValueError, match=f"'{text}' is not {MOMENT_RANGE}"):
        parse_moment(text)


@pytest.mark.parametrize("text", ["1971-01-01", "2999-12-31T23:59:59+14:00"])
def test_the_first_and_the_last_year_are_taken(text):
    assert parse_moment(text).utcoffset() == timedelta(0)
