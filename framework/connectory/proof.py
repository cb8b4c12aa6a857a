"""Decides whether a listing is provably complete: only then was a missing record deleted. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .deletes import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .deletes import Total
    from .model import Response


@dataclass(kw_only=True, slots=True)
class Proof:
    """Examines a listing page by page. `doubt` is the first reason why it may be incomplete; None if none was found."""

    total: Total | None
    counts: Counts
    page_size: int
    ascending: bool = False
    doubt: str | None = None
    listed: int = 0
    pages: int = 0
    _counted: int | None = field(default=None)
    _last: str = ""

    def see(self, response: Response, ids: Sequence[str | None]) -> None:
        """Examine one page. `ids` are those of its records, with None for a record that does not show its id."""
        self.pages += 1
        self.listed += len(ids)
        self.doubt = self.doubt or self._doubt(response, ids)

    def end(self, distinct: int) -> str | None:
        """Why the list is incomplete, after its last page; None if it is complete.

        `distinct` is the number of different objects on all pages.
        """
        return self.doubt or self._doubt_end(distinct)

    def _doubt(self, response: Response, ids: Sequence[str | None]) -> str | None:
        if response.status >= 300:
            return f"the provider answered {response.status} instead of a page"
        if None in ids:
            return f"a page has records that do not show their id ({ids.count(None)})"
        return self._doubt_count(response, len(ids)) or self._doubt_order(ids)

    def _doubt_count(self, response: Response, shown: int) -> str | None:
        if self.total is None:
            return None
        counted = self.total(response)
        if counted is None:
            return "the provider does not say how many records there are"
        before, self._counted = self._counted, counted
        if self.counts is Counts.WHOLE:
            moved = before is not None and before != counted
            return f"the number of records changed from {before} to {counted} during the listing" if moved else None
        self._counted = counted - shown
        # A larger count may come from new records. A smaller one may mean that the login lost a right on the way.
        if before is not None and counted < before:
            return f"the provider counted {before} more records, and then only {counted}"
        if shown < min(self.page_size, counted):
            return f"a page shows {shown} records, but {min(self.page_size, counted)} were expected"
        return None

    def _doubt_order(self, ids: Sequence[str | None]) -> str | None:
        if not self.ascending:
            return None
        for object_id in ids:
            if object_id is None or object_id <= self._last:
                return "the list is not in the order of the ids"
            self._last = object_id
        return None

    def _doubt_end(self, distinct: int) -> str | None:
        if not self.pages:
            return "no page was read"
        if distinct != self.listed:
            return f"{self.listed} records were listed, but only {distinct} different ones: the list changed on the way"
        left = self._left()
        return (
            f"{left} records were counted but not listed: the login may lack the right to read them" if left else None
        )

    def _left(self) -> int:
        """How many records were counted but not shown; negative if more were shown than counted."""
        if self._counted is None:
            return 0
        return self._counted if self.counts is Counts.REST else self._counted - self.listed
