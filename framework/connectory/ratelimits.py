"""How much a provider lets one account ask: what a plugin puts on `Element.limits`.

>>> from datetime import timedelta
>>> Limit(requests=100, per=timedelta(minutes=1)).describe()
'100 requests per minute'
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .model import Config, Response

CLIENT_ID = "oauth.api.key"

_NAMES = {60: "minute", 3600: "hour", 86_400: "day"}
# Smaller numbers in `X-RateLimit-Reset` are seconds to wait, larger ones a moment.
_EPOCH_OF_OURS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most so many requests in any span of that length, and so many polls at once; None: as many as one likes.

    `Limit()` knows no number: what the provider's own answers ask for is kept by all instances of the account.

    >>> Limit(requests=5000, concurrent=4).describe()
    '5000 requests per hour'
    >>> Limit(requests=60, per=timedelta(minutes=1)).burst
    6
    """

    requests: int | None = None
    per: timedelta = timedelta(hours=1)
    concurrent: int | None = None

    @property
    def burst(self) -> int:
        """How many requests may follow each other without a pause."""
        return max(1, (self.requests or 0) // 10)

    @property
    def pace(self) -> float:
        """Requests per microsecond in the long run: what is left of the limit beside a burst."""
        span = self.per.total_seconds() * 1_000_000
        return max(1, (self.requests or 0) - self.burst) / span

    def describe(self) -> str:
        seconds = self.per.total_seconds()
        return f"{self.requests} requests per {_NAMES.get(int(seconds), f'{seconds:g} s')}"


def account_key(base_url: str, config: Config) -> str:
    """Which account the requests of an instance count for: the provider's host and the OAuth2 client."""
    return f"{urlsplit(base_url).netloc.lower()}|{config.get(CLIENT_ID) or ''}"


def seconds_to_reset(response: Response) -> float | None:
    """Seconds until the provider counts anew, from `X-RateLimit-Reset`: a moment or seconds; never negative."""
    text = response.headers.get("X-RateLimit-Reset", "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    value = float(text)
    if value < _EPOCH_OF_OURS:
        return value
    now = response.date or datetime.now(UTC)
    return max(0.0, value - now.timestamp())


def is_used_up(response: Response) -> bool:
    """Whether a good answer says that the next one will not be good."""
    return response.headers.get("X-RateLimit-Remaining", "").strip() == "0"
