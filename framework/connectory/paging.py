"""Ready-made paginators: each is one small frozen object that a plugin gives to its element or resource.

`walk` is a generator that yields the request for a page and is sent the page; see `model.Paginator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from .model import Page, Query, Request


@dataclass(frozen=True, slots=True)
class SinglePage:
    """The provider answers everything at once."""

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        yield request
