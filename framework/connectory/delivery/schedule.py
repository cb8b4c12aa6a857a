"""Decides what follows from an attempt: delivered, tried again later, or given up. No I/O."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

RETRIES = 9
GONE = 410
_MAY_HAVE_RETRY_AFTER = frozenset({429, 503})
MOST_PATIENT = timedelta(days=1)
"""The longest wait that a `Retry-After` header can cause. The waits of the schedule itself may be longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Exactly one field is set. `deactivate` is the reason why the subscription is deactivated."""

    delivered: bool = False
    retry_at: datetime | None = None
    deactivate: str | None = None


def wait_before(retry: int) -> timedelta:
    """4, 16, 64 ... 262144 s before retries 1 to 9.

    The documentation of Cloud Elements calls 2^(2x) s the interval before retry x. It also says "a little under 73
    hours", which would fit if the values were times since the first failure. We take them as intervals; they add up to
    97.1 h.
    """
    return timedelta(seconds=4**retry)


def next_attempt(attempts_made: int, status: int | None, now: datetime, retry_after: str | None = None) -> Decision:
    """`attempts_made` includes the one that just ended; `status` is None if the receiver did not answer.

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
    asked = _asked_for(retry_after, now) if status in _MAY_HAVE_RETRY_AFTER else None
    if asked is not None:
        # Never sooner than the schedule says: with `Retry-After: 0`, all nine retries would be used up in seconds.
        wait = max(wait, min(asked, MOST_PATIENT))
    return Decision(retry_at=now + wait)


def _asked_for(retry_after: str | None, now: datetime) -> timedelta | None:
    """The header holds seconds or an HTTP date; any other text is ignored."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        # Limit the length first: a timedelta overflows.
        return timedelta(seconds=int(value)) if len(value) <= 9 else MOST_PATIENT
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
