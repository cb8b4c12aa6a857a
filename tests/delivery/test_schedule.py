"""What follows from an attempt, as a table with its arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectory.delivery.schedule import Decision, next_attempt

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def after(seconds):
    return Decision(retry_at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("attempts_made", "seconds"),
    [
        (1, 4),  # 4^1
        (2, 16),  # 4^2
        (3, 64),
        (4, 256),
        (5, 1_024),  # 17 minutes
        (6, 4_096),
        (7, 16_384),  # 4.6 hours
        (8, 65_536),
        (9, 262_144),  # 4^9: 72.8 hours, the platform's "a little under 73"
    ],
)
@pytest.mark.parametrize("status", [None, 500, 502, 404, 400, 401])
def test_nine_retries_each_four_times_later(attempts_made, seconds, status):
    assert next_attempt(attempts_made, status, NOW) == after(seconds)


def test_all_nine_take_four_days():
    waits = [next_attempt(made, 500, NOW).retry_at - NOW for made in range(1, 10)]
    # (4^10 - 4) / 3 = 349524 s = 97.1 h
    assert sum(waits, timedelta(0)) == timedelta(seconds=349_524)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, "10 attempts failed, the last one answered 500"),
        (None, "10 attempts failed, the last one without an answer"),
    ],
)
def test_the_tenth_failure_is_the_last(status, reason):
    assert next_attempt(10, status, NOW) == Decision(deactivate=reason)
    assert next_attempt(11, status, NOW).deactivate


@pytest.mark.parametrize("attempts_made", [1, 5, 10])
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(attempts_made, status):
    assert next_attempt(attempts_made, status, NOW) == Decision(delivered=True)


@pytest.mark.parametrize("status", [199, 300, 301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure(status):
    assert next_attempt(1, status, NOW) == after(4)


@pytest.mark.parametrize("attempts_made", [1, 10])
def test_gone_deactivates_at_once(attempts_made):
    assert next_attempt(attempts_made, 410, NOW) == Decision(deactivate="the receiver answered 410 Gone")


@pytest.mark.parametrize(
    ("attempts_made", "status", "retry_after", "seconds"),
    [
        (1, 429, "30", 30),  # max(4, 30)
        (1, 503, "30", 30),
        (1, 429, " 30 ", 30),
        (3, 429, "30", 64),  # max(64, 30): never sooner than the schedule
        (1, 429, "0", 4),
        (1, 429, "Sun, 01 Mar 2026 12:02:00 GMT", 120),  # two minutes after NOW
        (1, 429, "Sun, 01 Mar 2026 13:02:00 +0100", 3_720 - 3_600),  # the same moment
        (1, 429, "Sun, 01 Mar 2026 11:00:00 GMT", 4),  # past
        (1, 429, "Fri, 01 Mar 2126 12:00:00 GMT", 86_400),  # at most a day
        (1, 429, "9" * 400, 86_400),
        (9, 429, "86401", 262_144),  # max(4^9, a day)
        (1, 429, None, 4),
        (1, 429, "", 4),
        (1, 429, "soon", 4),
        (1, 429, "-5", 4),
        (1, 429, "1.5", 4),
        (1, 429, "²", 4),
        (1, 500, "30", 4),  # only 429 and 503 may name a time
        (1, 404, "30", 4),
    ],
)
def test_retry_after_is_respected_within_bounds(attempts_made, status, retry_after, seconds):
    assert next_attempt(attempts_made, status, NOW, retry_after) == after(seconds)


def test_retry_after_gives_no_tenth_retry():
    assert next_attempt(10, 429, NOW, "30").deactivate
