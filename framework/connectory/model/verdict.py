"""What to do with a response: the verdict, and the judge that gives it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .exchange import Response, http_date


class Action(enum.Enum):
    """What to do with a response.

    >>> judge_by_status(Response(status=503, headers={}, body=b"")).action
    <Action.RETRY: 'retry'>
    """

    ACCEPT = "accept"
    EMPTY = "empty"
    """Accept it as a list without rows, whatever the body says."""
    RENEW = "renew"
    """The provider refused the access token: renew it once, and send the request once more."""
    RETRY = "retry"
    """The request is correct, and the same request may succeed later."""
    SHRINK = "shrink"
    """Like RETRY, but the page was too large for the provider: ask for half of it."""
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What to do with one response. `reason` is for people, `hint` says what they can do, `retry_after` is in seconds.

    >>> def judge(response: Response) -> Verdict:
    ...     if response.status == 402:
    ...         return Verdict(action=Action.FAIL, reason="the trial is over", hint="subscribe at acme.example/plans")
    ...     return judge_by_status(response)
    >>> judge(Response(status=402, headers={}, body=b"")).reason
    'the trial is over'
    """

    action: Action
    reason: str = ""
    retry_after: float | None = None
    hint: str | None = None
    provider_message: str | None = None


ACCEPT = Verdict(action=Action.ACCEPT)
Judge = Callable[[Response], Verdict]


def judge_by_status(response: Response) -> Verdict:
    """The verdict for a provider that uses HTTP statuses in the usual way.

    >>> judge_by_status(Response(status=429, headers={"Retry-After": "30"}, body=b"")).retry_after
    30.0
    >>> judge_by_status(Response(status=404, headers={}, body=b"")).action.name
    'FAIL'
    """
    status = response.status
    if status < 300:
        return ACCEPT
    if status == 401:
        return Verdict(action=Action.RENEW, reason="the provider refused the access token")
    if status == 429 or status >= 500:
        return Verdict(action=Action.RETRY, reason=f"the provider answered {status}", retry_after=retry_after(response))
    return Verdict(action=Action.FAIL, reason=f"the provider answered {status}")


def retry_after(response: Response) -> float | None:
    """Seconds from the `Retry-After` header, which holds either seconds or an HTTP date; never negative."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    moment = http_date(value)
    return None if moment is None else max(0.0, (moment - (response.date or datetime.now(UTC))).total_seconds())
