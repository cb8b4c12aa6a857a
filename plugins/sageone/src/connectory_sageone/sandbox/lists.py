"""Lists: filters, order and envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectory.sandbox import Cut, NumberedPages, Row, json_reply, last_page, parse_moment, with_faults

from .errors import refused
from .records import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from werkzeug.wrappers import Response

    from connectory.sandbox import Call

    from .schema import Collection
    from .switches import SageSwitches

_SINCE, _DELETED_SINCE = "updated_or_created_since", "deleted_since"
_PAGES = NumberedPages(page="page", size="items_per_page", default=20, most=200, total=None, repeats_last_page=True)


@dataclass(frozen=True)
class Listing:
    """One list request."""

    collection: Collection
    call: Call
    switches: SageSwitches

    def answer(self, rows: Sequence[Row], gone: Sequence[Row]) -> Response:
        call = self.call
        found = self._deleted(gone) if self.tells_deleted else list(rows)
        if not call.fault("ignored_filter"):
            found = [row for row in found if self._matches(row)]
        return self._page(self._ordered(found))

    @property
    def tells_deleted(self) -> bool:
        return bool(self.call.param(_DELETED_SINCE)) and self.collection.tells_deleted and self.switches.api == "v3.1"

    def _deleted(self, gone: Sequence[Row]) -> list[Row]:
        moment = self._moment(_DELETED_SINCE)
        return [row for row in gone if moment is None or parse_moment(row["deleted_at"]) > moment]

    def _matches(self, row: Row) -> bool:
        return (
            self._is_since(row)
            and self._is_searched(row)
            and self._is_between(row)
            and all(self._equals(row, name, field) for name, field in dict(self.collection.filters).items())
        )

    def _is_since(self, row: Row) -> bool:
        moment = self._moment(_SINCE)
        # Inclusive, as documented.
        return moment is None or parse_moment(row["updated_at"]) >= moment

    def _is_searched(self, row: Row) -> bool:
        wanted = self.call.param("search").casefold()
        if not wanted or not self.collection.searched:
            return True
        return any(wanted in str(row.get(field) or "").casefold() for field in self.collection.searched)

    def _is_between(self, row: Row) -> bool:
        if not self.collection.has_business_date:
            return True
        date = str(row.get("date") or "")
        return self.call.param("from_date") <= date <= (self.call.param("to_date") or "9999")

    def _equals(self, row: Row, name: str, field: str) -> bool:
        wanted = self.call.param(name)
        return not wanted or wanted.casefold() in _values(row.get(field))

    def _moment(self, name: str) -> datetime | None:
        text = self.call.param(name)
        if not text:
            return None
        try:
            return parse_moment(text)
        except ValueError:
            # A plus sign that was not encoded arrives as a space.
            raise refused((name, "is not a valid date")) from None

    def _ordered(self, rows: list[Row]) -> list[Row]:
        """Sorted by creation, or by `sort` if the collection supports it."""
        key, _, direction = self.call.param("sort").partition(":")
        if not self.collection.is_sorted or key not in {"created_at", "updated_at", "date", "due_date", "expiry_date"}:
            return rows
        return sorted(rows, key=lambda row: str(row.get(key) or ""), reverse=direction == "desc")

    def _page(self, rows: Sequence[Row]) -> Response:
        call, size = self.call, self.call.number("items_per_page", 20, least=1, most=200)
        cut = with_faults(_PAGES.cut(rows, call), call)
        number = _PAGES.number(rows, call, size)
        call.rows = len(cut.rows)
        return json_reply(self._envelope(cut, number, size, len(rows)))

    def _envelope(self, cut: Cut, number: int, size: int, total: int) -> Mapping[str, Any]:
        goes_on = number < last_page(total, size)
        envelope = {
            "$total": total,
            "$page": number + 1,
            "$next": self._link(number + 2, size) if goes_on and not self.switches.next_missing else None,
            "$back": self._link(number, size) if number else None,
            "$itemsPerPage": size,
            "$items": [self._shown(row) for row in cut.rows],
        }
        if self.switches.counts_nothing:
            del envelope["$total"]
        return envelope

    def _shown(self, row: Row) -> dict[str, Any]:
        attributes = [name for name in self.call.param("attributes").split(",") if name]
        more = ["deleted_at"] if self.tells_deleted else []
        return shown(row, [*attributes, *more], legacy_id=self.call.param("show_legacy_id") == "true")

    def _link(self, number: int, size: int) -> str:
        """A relative link without the API version; it repeats the other parameters."""
        kept = {name: value for name, value in self.call.request.args.items() if name not in {"page", "items_per_page"}}
        query = urlencode({"page": number, "items_per_page": size, **kept})
        return f"{self.collection.path}?{query}"


def _values(value: Any) -> set[str]:
    """The values that a field is equal to: its text, or the ids of its references."""
    if isinstance(value, dict):
        return {str(value.get("id")).casefold()}
    if isinstance(value, list):
        return {text for item in value for text in _values(item)}
    return {("true" if value else "false") if isinstance(value, bool) else str(value).casefold()}
