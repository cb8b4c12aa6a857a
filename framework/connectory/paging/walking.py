"""Rules that all paginators share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProviderError

if TYPE_CHECKING:
    from ..model import Query


def page_size(query: Query, most: int | None) -> int:
    return query.page_size if most is None else min(query.page_size, most)


def circle(what: str) -> ProviderError:
    return ProviderError(
        f"paging goes round in circles: {what}",
        hint="the provider ignores the paging parameters, or the element's paginator is wrong",
    )
