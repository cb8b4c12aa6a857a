"""The limits of calls: a budget for each user and hour, and the number of calls that may run at once."""

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .switches import RateLimit

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from connectory.sandbox import ErrorReply

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Charge:
    headers: dict[str, str]
    seconds_to_wait: int
    """Greater than 0 if the budget is used up."""


class Budget:
    def __init__(self) -> None:
        self._used: Counter[tuple[str, int]] = Counter()

    def charge(self, user_id: str, rule: RateLimit, now: datetime) -> Charge:
        moment = int(now.timestamp())
        hour, into = divmod(moment, HOUR)
        self._used[user_id, hour] += 1
        reset = moment - into + HOUR
        headers = {
            "X-RateLimit-Limit": str(rule.limit),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Rule": rule.rule,
        }
        exhausted = self._used[user_id, hour] > rule.limit
        return Charge(headers, reset - moment if exhausted else 0)


def over_budget(error: "ErrorReply", limit: int, seconds: int) -> "Response":
    detail = f"Rejected because the number of requests exceeded limit of {limit} per hour for REST Table API"
    reply = error(429, "Rate limit exceeded", detail=detail)
    reply.headers["Retry-After"] = str(seconds)
    return reply


class Gauge:
    """Counts the calls that are running; each runs until its last byte is sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def enter(self) -> int:
        with self._lock:
            self.count += 1
            return self.count

    def leave(self) -> None:
        with self._lock:
            self.count -= 1
