"""The settings of the fake Sage."""

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
    """`api` is fixed when the sandbox is made. `country` is that of the URLs of v3.

    `lead` is the number of the business of requests that name none: 0 or 1. `next_missing` leaves `$next` out of pages,
    as Sage sometimes does. `counts_nothing` leaves out `$total`. `needs_signature` refuses v3 requests without a
    signature. `closed_businesses` are the ones that the user may not use.
    """

    api: Literal["v3.1", "v3"] = "v3.1"
    country: str = "gb"
    lead: int = 0
    next_missing: bool = False
    counts_nothing: bool = False
    needs_signature: bool = False
    closed_businesses: tuple[int, ...] = ()
