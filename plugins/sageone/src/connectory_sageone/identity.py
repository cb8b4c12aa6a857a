"""The business that an instance works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.model import Request

if TYPE_CHECKING:
    from connectory.http import Client

PROBE = Request(path="/contact_types", params=(("items_per_page", "1"),))
"""A cheap request that both API generations answer, but only if the user may use the business."""


def account(client: Client) -> str:
    """The business that answers (with API v3 the site). A new login must be for the same one."""
    site = getattr(getattr(client.auth, "inner", client.auth), "site", "")
    return str(site) or client.send(PROBE).headers.get("X-Business", "")
