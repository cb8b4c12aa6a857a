"""The contract of an element: everything that Connectory relies on, as checks that a test class inherits.

    from connectory.testing import ElementContract
    import connectory_demo

    class TestDemo(ElementContract):
        plugin = connectory_demo
        element = "demo"

Each check has a world of its own: a sandbox of the element, a real application on a temporary store, and one clock for
both, which stands still. The last line of a failure begins with `cure:` and says what to do. If the sandbox is not
built on `connectory.sandbox`, the test class overrides methods of `base.ContractBase`.
"""

from __future__ import annotations

from .changing import Changing
from .configuring import Configuring
from .dating import Dating
from .filters import Filters
from .hooking import Hooking
from .judging import Judging
from .listing import Listing
from .logins import Logins
from .paging import Paging
from .provisioning import Provisioning
from .sandboxing import Sandboxing
from .secrecy import Secrecy

__all__ = ["ElementContract"]


class ElementContract(
    Provisioning,
    Configuring,
    Logins,
    Listing,
    Paging,
    Filters,
    Dating,
    Changing,
    Judging,
    Secrecy,
    Hooking,
    Sandboxing,
):
    """Inherit it and set `plugin` and `element`; `ContractBase` describes what else can be set."""
