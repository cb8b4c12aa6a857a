"""The kinds of paging that a new plugin can have: a paginator for the plugin, and the same style for the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Paging:
    """`label` describes the kind to the author who chooses.

    `part` (for the plugin) and `style` (for the sandbox) are expressions; the name before the bracket is imported.
    `size` is the parameter for the length of a page, or empty without one. `counts` says whether the body has the
    number of all records in `total`.
    """

    label: str
    part: str
    style: str
    size: str = "limit"
    counts: bool = False

    @property
    def imports(self) -> tuple[str, ...]:
        """The names that the plugin imports from `connectory`."""
        return (self.part.partition("(")[0], *(["total_in_body"] if self.counts else []))

    @property
    def fake(self) -> str:
        """The name that the sandbox imports from `connectory.sandbox`."""
        return self.style.partition("(")[0]


PAGINGS = {
    "page-number": Paging(
        label="?page=3&per_page=100, and a total in the body",
        part='PageNumber(size="per_page", most=100, total=TOTAL)',
        style='NumberedPages(size="per_page")',
        size="per_page",
        counts=True,
    ),
    "offset": Paging(
        label="?offset=200&limit=100, and a total in the body",
        part="Offset(most=100, total=TOTAL)",
        style="OffsetPages()",
        counts=True,
    ),
    "cursor": Paging(
        label="a token for the next page in the body (next_cursor)",
        part='CursorInBody(cursor="next_cursor", size="limit", most=100)',
        style="CursorPages()",
    ),
    "next-link": Paging(
        label="the address of the next page in the body (next)",
        part='NextLinkInBody(link="next", size="limit", most=100)',
        style='LinkedPages(link="next")',
    ),
    "link-header": Paging(
        label="the address of the next page in the Link header",
        part='NextLinkInHeader(size="limit", most=100)',
        style="LinkedPages()",
    ),
    "keyset": Paging(
        label="the records after the last one, in the order of date and id",
        part="""Keyset(
        after_updated="after_updated",
        after_id="after_id",
        order=(("sort", "updated_at,id"),),
        size="limit",
        most=100,
        key=lambda place: (place[1], place[0]),
    )""",
        style="KeysetPages()",
    ),
    "none": Paging(
        label="everything at once",
        part="SinglePage()",
        style="AllAtOnce()",
        size="",
    ),
}
"""By the name that `--paging` takes."""
