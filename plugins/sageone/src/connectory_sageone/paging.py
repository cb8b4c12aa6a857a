"""Paging of Sage's lists.

Pages are asked for by number, because Sage sometimes leaves out `$next` although pages follow; `$total` is reliable.
After the last page Sage repeats it. `items_per_page` is at most 200.
"""

from __future__ import annotations

from connectory.deletes import total_in_body
from connectory.paging import PageNumber

TOTAL = total_in_body("$total")
MOST = 200

PAGES = PageNumber(page="page", size="items_per_page", most=MOST, total=TOTAL, repeats_last_page=True)
