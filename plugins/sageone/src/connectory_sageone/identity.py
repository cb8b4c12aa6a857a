"""Whose books an instance works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.model import Request

if TYPE_CHECKING:
    from connectory.http import Client

PROBE = Request(path="/contact_types", params=(("items_per_page", "1"),))
"""A cheap request that both generations answer, and only where the business is open to the user."""


def account(client: Client) -> str:
    """The business that answers, or the site with API v3: a new login must be of the same one."""
    site = getattr(getattr(client.auth, "inner", client.auth), "site", "")
    return str(site) or client.send(PROBE).headers.get("X-Business", "")
