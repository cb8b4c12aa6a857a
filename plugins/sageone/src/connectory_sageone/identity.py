"""The business that an instance works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.model import Request

if TYPE_CHECKING:
    from connectory.model import Sender

PROBE = Request(path="/contact_types", params=(("items_per_page", "1"),))
"""A cheap request that both API generations answer, but only if the user may use the business."""


def account(sender: Sender) -> str:
    """The business that answers (with API v3 the site). A new login must be for the same one."""
    auth = getattr(sender, "auth", None)
    site = getattr(getattr(auth, "inner", auth), "site", "")
    return str(site) or sender.send(PROBE).headers.get("X-Business", "")
