"""What one poll or one list request asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ..ceql import Expression
    from .exchange import Params


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The span of updated stamps that a poll must cover, both ends included; aware UTC.

    >>> from datetime import UTC, datetime
    >>> window = Window(start=datetime(2026, 1, 1, 12, tzinfo=UTC), end=datetime(2026, 1, 1, 12, 15, tzinfo=UTC))
    >>> window.end - window.start
    datetime.timedelta(seconds=900)
    """

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A list request in the terms of Cloud Elements, for `connect_translate_query` and the paginator.

    `params` are the URL's other parameters beside `where`, unchanged. `window` is None outside of polling.

    >>> from connectory import parse_ceql
    >>> query = Query(expression=parse_ceql("status = 'open'"), params=(("embed", "lines"),), page_size=100)
    >>> query.params, query.window
    ((('embed', 'lines'),), None)
    """

    expression: Expression | None = None
    params: Params = ()
    page_size: int
    window: Window | None = None
