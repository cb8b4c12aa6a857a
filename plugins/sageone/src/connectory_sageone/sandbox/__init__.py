"""A fake Sage for development and tests: a WSGI application.

1. `SageSandbox` (app) is a `connectory.sandbox.Sandbox` with Sage's login pages (`login`), lists (`lists`),
   records (`records`, `schema`), writes (`writes`) and errors (`errors`).
2. `seeds` fills it with a small business, and `people` change it.
3. `SageSwitches` (switches) are its settings, such as the API generation. Its faults are those of the base,
   `no_subscription` and `role_too_low`.

Where Sage's documentation says nothing, it behaves as decided in section 6 of `sageone.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.sandbox import utc_now

from .app import SageSandbox
from .seeds import fill
from .switches import SageSwitches

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["SageSandbox", "SageSwitches", "create_sandbox"]


def create_sandbox(
    *,
    clock: Callable[[], datetime] = utc_now,
    seed: int = 1,
    switches: SageSwitches | None = None,
    contacts: int = 30,
    products: int = 15,
    invoices: int = 25,
) -> SageSandbox:
    """A business that sells goods. A second business of the same user has only three customers."""
    sandbox = SageSandbox(clock, seed, switches or SageSwitches())
    fill(sandbox, contacts=contacts, products=products, invoices=invoices)
    return sandbox
