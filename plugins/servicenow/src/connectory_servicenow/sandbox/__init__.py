"""A fake ServiceNow for development and tests: a WSGI application.

1. `Sandbox` (app) is a `connectory.sandbox.Provider` and, as an `Instance` (instance), its state.
2. Records live in `store` under the columns of `tables`; every write passes `business` and its `rules`.
3. Encoded queries are read by `query`, compiled by `matching` with `operators`, `literals` and `paths`.
4. `api` finds the caller and the handler: `tableapi`, `stats`, `batch`, `attachments`; `login` is the OAuth server.
5. `switches` are the settings of the instance; `faults` are those of the base and ServiceNow's own.
6. `records` fills an instance, and `people` change it.
"""

from collections.abc import Callable
from datetime import datetime

from connectory.sandbox import utc_now

from .app import Sandbox
from .faults import KINDS
from .login import OAuthClient
from .people import People, Step
from .records import seed_instance
from .rules import RuleError
from .switches import AclSwitches, AuditSwitches, OAuthSwitches, RateLimit, Switches

__all__ = [
    "KINDS",
    "AclSwitches",
    "AuditSwitches",
    "OAuthClient",
    "OAuthSwitches",
    "People",
    "RateLimit",
    "RuleError",
    "Sandbox",
    "Step",
    "Switches",
    "create_sandbox",
]


def create_sandbox(
    *,
    clock: Callable[[], datetime] = utc_now,
    seed: int = 1,
    switches: Switches | None = None,
    companies: int = 20,
    users: int = 40,
    incidents: int = 60,
    customer_accounts: int = 0,
    customer_contacts: int = 0,
    customer_service: bool = False,
) -> Sandbox:
    """An instance with people, companies and incidents. It has customer tables only if it has customers."""
    has_customers = customer_service or customer_accounts > 0 or customer_contacts > 0
    sandbox = Sandbox(clock, seed, switches, has_customers)
    seed_instance(
        sandbox,
        seed,
        companies=companies,
        users=users,
        incidents=incidents,
        customer_accounts=customer_accounts,
        customer_contacts=customer_contacts,
    )
    return sandbox
