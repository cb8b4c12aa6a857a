"""The element `sageone`."""

from __future__ import annotations

from datetime import timedelta

from connectory.model import Element
from connectory.ratelimits import Limit

from .addresses import base_url
from .auth import OAUTH
from .configuration import Configuration
from .identity import PROBE, account
from .paging import MOST, PAGES
from .verdicts import judge

SAGEONE = Element(
    key="sageone",
    id=3458,
    name="Sage One",
    hub="finance",
    description="Customers, invoices, payments and the other books of a Sage business.",
    base_url=base_url,
    config_schema=Configuration,
    oauth=OAUTH,
    judge=judge,
    paginator=PAGES,
    probe=PROBE,
    page_size=MOST,
    account=account,
    # Of v3.1, for each client application. v3 allows a business 200 a minute, of which its answers tell.
    limits=(Limit(requests=1_296_000, per=timedelta(days=1), concurrent=150),),
)
