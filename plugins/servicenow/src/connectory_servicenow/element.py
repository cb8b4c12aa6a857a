"""The element `servicenowoauth`."""

from __future__ import annotations

from connectory.model import Element, Request
from connectory.ratelimits import Limit

from .address import base_url
from .auth import OAUTH
from .configuration import Configuration
from .identity import account
from .paging import KeysetPages
from .resources import API
from .verdicts import judge

PROBE = Request(
    path=f"{API}/sys_user",
    params=(("sysparm_limit", "1"), ("sysparm_fields", "sys_id"), ("sysparm_no_count", "true")),
)

SERVICENOW = Element(
    key="servicenowoauth",
    id=1323,
    name="ServiceNow OAuth",
    hub="helpdesk",
    description="Accounts, contacts, agents and incidents of a ServiceNow instance.",
    base_url=base_url,
    config_schema=Configuration,
    oauth=OAUTH,
    judge=judge,
    paginator=KeysetPages(),
    probe=PROBE,
    page_size=1000,
    account=account,
    # Its limits are rules of each instance, which only its answers tell.
    limits=(Limit(),),
)
