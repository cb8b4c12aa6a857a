"""Ready-made paginators: each is one small frozen object that a plugin gives to its element or resource.

| paginator | the provider | how the end is known |
|---|---|---|
| `SinglePage` | answers everything at once | one page is everything |
| `Offset` | takes an offset and a limit | the total, or a short page |
| `PageNumber` | takes the number of a page | the total, or a short page |
| `CursorInBody` | gives a token for the next page | no token |
| `NextLinkInBody`, `NextLinkInHeader` | gives the next page's address | no address |
| `Keyset` | lists what comes after a record | a short page |

`walk` is a generator that yields the request for a page and is sent that page; see `model.Paginator`. If a walk would
repeat pages, it ends with a `ProviderError`. The state of a walk lives in its generator, so all instances can share one
paginator.
"""

from __future__ import annotations

from .keyset import Keyset
from .links import NextLinkInBody, NextLinkInHeader
from .position import Offset, PageNumber, SinglePage
from .tokens import CursorInBody

__all__ = [
    "CursorInBody",
    "Keyset",
    "NextLinkInBody",
    "NextLinkInHeader",
    "Offset",
    "PageNumber",
    "SinglePage",
]
