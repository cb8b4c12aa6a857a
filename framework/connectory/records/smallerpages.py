"""Reads a list in smaller pages when the provider cannot answer with large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..http import PageTooHeavyError

if TYPE_CHECKING:
    from collections.abc import Callable

    Shrunk = Callable[[int, int, PageTooHeavyError], None]

T = TypeVar("T")

SMALLEST_PAGE = 25


def in_smaller_pages(page_size: int, read: Callable[[int], T], shrunk: Shrunk = lambda size, smaller, error: None) -> T:
    """Call `read` with `page_size`, then with half of it and so on, until no page is too heavy for the provider.

    `shrunk` is told the size that was too large, the one that is tried next, and the reason.
    """
    while True:
        try:
            return read(page_size)
        except PageTooHeavyError as error:
            half = page_size // 2
            if half < SMALLEST_PAGE:
                raise
            shrunk(page_size, half, error)
            page_size = half
