"""How Sage's lists are walked.

By number, not by `$next`, which Sage leaves out now and then though pages follow; `$total` is what can be trusted.
A page past the end is the last one again. `items_per_page` takes 200 at most.
"""

from __future__ import annotations

from connectory.deletes import total_in_body
from connectory.paging import PageNumber

TOTAL = total_in_body("$total")
MOST = 200

PAGES = PageNumber(page="page", size="items_per_page", most=MOST, total=TOTAL, repeats_last_page=True)
