"""What kind of Sage this is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectory.sandbox import Switches

BUSINESSES = ("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "f9e8d7c6b5a4938271605f4e3d2c1b0a")
SITE = "site-6f1c"
SUBSCRIPTION_KEY = "sandbox-subscription-key"
SIGNING_SECRET = "sandbox-signing-secret"


@dataclass(frozen=True, kw_only=True)
class SageSwitches(Switches):
    """`api` is chosen when a sandbox is made, and stays. `country` is that of v3's addresses.

    `lead` is the business that is used where a request names none: 0 or 1. `next_missing` leaves `$next` out of pages,
    as Sage does now and then. `counts_nothing` leaves `$total` out. `needs_signature` refuses v3 requests without one.
    `closed_businesses` are those that the user may not work with.
    """

    api: Literal["v3.1", "v3"] = "v3.1"
    country: str = "gb"
    lead: int = 0
    next_missing: bool = False
    counts_nothing: bool = False
    needs_signature: bool = False
    closed_businesses: tuple[int, ...] = ()
