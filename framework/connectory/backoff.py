"""How long to wait before a failing poll is tried again."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = 5.0
LONGEST = 1800.0
# Try again after a day even if the provider asked for a longer wait: it may have recovered.
MOST_PATIENT = 86_400.0


def delay_after(
    failures: int, *, retry_after: float | None = None, chance: Callable[[], float] = random.random
) -> timedelta:
    """5 s, doubled with each failure up to half an hour, and 20 % more or less by chance.

    It is never less than `retry_after`, the seconds that the provider asked for. `chance` gives a number from 0 to 1.
    """
    base = min(FIRST * 2 ** min(failures - 1, 20), LONGEST)
    seconds = base * (0.8 + 0.4 * chance())
    if retry_after is not None:
        # Only add to the seconds asked for, at random, so that many instances do not come back in the same second.
        seconds = max(seconds, min(retry_after, MOST_PATIENT) * (1 + 0.1 * chance()))
    return timedelta(seconds=seconds)
