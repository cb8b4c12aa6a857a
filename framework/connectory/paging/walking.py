"""Rules that all paginators share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProviderError

if TYPE_CHECKING:
    from ..model import Query


def page_size(query: Query, most: int | None) -> int:
    """The number of records to ask for: what the query wants, but at most what the provider allows."""
    return query.page_size if most is None else min(query.page_size, most)


def circle(what: str) -> ProviderError:
    """The error for a walk that would repeat a page."""
    return ProviderError(
        f"paging goes round in circles: {what}",
        hint="the provider ignores the paging parameters, or the element's paginator is wrong",
    )
