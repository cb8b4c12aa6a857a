"""How many requests a provider allows one account: a plugin puts this on `Element.limits`.

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
    from .model.endpoint import Config
    from .model.exchange import Response

CLIENT_ID = "oauth.api.key"

_NAMES = {60: "minute", 3600: "hour", 86_400: "day"}
# In `X-RateLimit-Reset`, a smaller number means seconds to wait, and a larger one seconds since 1970.
_EPOCH_OF_OURS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most `requests` requests in any span of length `per`, and at most `concurrent` polls at once.

    None means no limit of that kind. `Limit()` has no numbers: then all instances of the account only obey the waiting
    times that the provider's answers ask for.

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
        """How many requests may be sent in a row without a pause."""
        return max(1, (self.requests or 0) // 10)

    @property
    def pace(self) -> float:
        """Requests per microsecond in the long run: the part of the limit that a burst does not use."""
        span = self.per.total_seconds() * 1_000_000
        return max(1, (self.requests or 0) - self.burst) / span

    def describe(self) -> str:
        seconds = self.per.total_seconds()
        return f"{self.requests} requests per {_NAMES.get(int(seconds), f'{seconds:g} s')}"


def account_key(base_url: str, config: Config) -> str:
    """The account that an instance's requests are counted for: the provider's host and the OAuth2 client."""
    return f"{urlsplit(base_url).netloc.lower()}|{config.get(CLIENT_ID) or ''}"


def seconds_to_reset(response: Response) -> float | None:
    """Seconds until the provider resets its count, from the header `X-RateLimit-Reset`; never negative."""
    text = response.headers.get("X-RateLimit-Reset", "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    value = float(text)
    if value < _EPOCH_OF_OURS:
        return value
    now = response.date or datetime.now(UTC)
    return max(0.0, value - now.timestamp())


def is_used_up(response: Response) -> bool:
    """Whether a successful answer says that no more requests are allowed for now."""
    return response.headers.get("X-RateLimit-Remaining", "").strip() == "0"
