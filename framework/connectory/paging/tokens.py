"""Pages by a token: the provider writes a token for the next page into the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ProviderError
from ..model import Request
from ..path import Path
from .walking import circle, page_size

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..model import Page, Query


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorInBody:
    """A token in the body that is sent back for the next page.

    `cursor` is the JSON path of the token (`meta.next`), and `param` the parameter that takes it. `size` names the
    parameter for the page size, or is None if there is none, and `most` is the largest page size. `more` is the JSON
    path of a flag that says whether another page follows; without it the list ends when there is no token. `alone`
    sends the token without the parameters of the first page.

    Errors: a `ProviderError` if a token comes twice, or if the flag promises a page but there is no token.

    >>> from connectory.model import Page, Query, Response
    >>> walk = CursorInBody(cursor="next", size="limit").walk(Request(path="/things"), Query(page_size=50))
    >>> next(walk).params
    (('limit', '50'),)
    >>> walk.send(Page(response=Response(status=200, headers={}, body=b'{"next": "a1"}'), rows=50)).params
    (('limit', '50'), ('cursor', 'a1'))
    """

    cursor: str
    param: str = "cursor"
    size: str | None = None
    most: int | None = None
    more: str | None = None
    alone: bool = False

    def __post_init__(self) -> None:
        for path in (self.cursor, self.more or ""):
            Path.parse(path)

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        sized = request if self.size is None else request.with_params(**{self.size: str(page_size(query, self.most))})
        page = yield sized
        seen: set[str] = set()
        base = Request(path=request.path, headers=request.headers) if self.alone else sized
        while (token := self._token(page)) is not None:
            if token in seen:
                raise circle("the provider gave the same token twice")
            seen.add(token)
            page = yield base.with_params(**{self.param: token})

    def _token(self, page: Page) -> str | None:
        body = page.response.body
        if self.more is not None and not Path.parse(self.more).find_in(body):
            return None
        token = Path.parse(self.cursor).find_in(body)
        if token is None or token == "" or token is False:
            if self.more is not None:
                raise ProviderError(f"the provider promises another page, but gives no token for it at {self.cursor}")
            return None
        return str(token)
