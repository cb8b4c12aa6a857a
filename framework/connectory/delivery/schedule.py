"""What follows from an attempt: delivered, tried again at a time, or given up. Pure."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

RETRIES = 9
GONE = 410
_MAY_NAME_A_TIME = frozenset({429, 503})
# A header must not silence a lane for a year; the schedule's own longer waits stand.
MOST_PATIENT = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Exactly one of: delivered, tried again at `retry_at`, or the subscription is deactivated for a reason."""

    delivered: bool = False
    retry_at: datetime | None = None
    deactivate: str | None = None


def wait_before(retry: int) -> timedelta:
    """4, 16, 64 ... 262144 s before retries 1 to 9.

    The platform's text calls 2^(2x) s the interval before retry x, while its "a little under 73 hours" would also fit
    offsets from the first failure. Read as intervals, the nine add up to 97.1 h.
    """
    return timedelta(seconds=4**retry)


def next_attempt(attempts_made: int, status: int | None, now: datetime, retry_after: str | None = None) -> Decision:
    """`attempts_made` counts the one that just ended; `status` is None where no answer came.

    `retry_after` is the header as received. Redirects are not followed, so a 3xx is a failure like any other.
    """
    if status is not None and 200 <= status < 300:
        return Decision(delivered=True)
    if status == GONE:
        return Decision(deactivate="the receiver answered 410 Gone")
    if attempts_made > RETRIES:
        answer = "without an answer" if status is None else f"answered {status}"
        return Decision(deactivate=f"{attempts_made} attempts failed, the last one {answer}")
    wait = wait_before(attempts_made)
    asked = _asked_for(retry_after, now) if status in _MAY_NAME_A_TIME else None
    if asked is not None:
        # Never sooner than the schedule: `Retry-After: 0` would otherwise use up all nine retries in seconds.
        wait = max(wait, min(asked, MOST_PATIENT))
    return Decision(retry_at=now + wait)


def _asked_for(retry_after: str | None, now: datetime) -> timedelta | None:
    """The header holds seconds or an HTTP date; one that holds neither says nothing."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        # Cut before it is a number: a timedelta has an end.
        return timedelta(seconds=int(value)) if len(value) <= 9 else MOST_PATIENT
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
