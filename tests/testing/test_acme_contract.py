"""The one-file element of the documentation keeps the contract of all elements."""

from __future__ import annotations

from connectory.testing import ElementContract
from onefile import load_page


class TestAcme(ElementContract):
    plugin = load_page()
    element = "acme"
    may_skip = ("test_order_of_a_keyset_holds", "test_deleted_is_announced_once")
