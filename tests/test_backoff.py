from __future__ import annotations

import pytest

from connectory.backoff import delay_after


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (1, 5),
        (2, 10),  # 5 x 2
        (3, 20),  # 5 x 4
        (9, 1280),  # 5 x 256
        (10, 1800),  # 5 x 512 would be 2560: half an hour at most
        (1000, 1800),
    ],
)
def test_the_curve(failures, seconds):
    assert delay_after(failures, chance=lambda: 0.5).total_seconds() == pytest.approx(seconds)


def test_jitter_is_a_fifth_either_way():
    assert delay_after(3, chance=lambda: 0).total_seconds() == pytest.approx(16)
    assert delay_after(3, chance=lambda: 1).total_seconds() == pytest.approx(24)


def test_the_provider_is_never_asked_before_its_retry_after():
    assert delay_after(1, retry_after=100, chance=lambda: 0).total_seconds() == 100
    assert 100 <= delay_after(1, retry_after=100, chance=lambda: 1).total_seconds() <= 110
    assert delay_after(10, retry_after=1, chance=lambda: 0.5).total_seconds() == pytest.approx(1800)


def test_a_provider_that_asks_for_a_year_is_asked_again_within_a_day_or_so():
    assert delay_after(1, retry_after=3e7, chance=lambda: 1).total_seconds() <= 86_400 * 1.1
