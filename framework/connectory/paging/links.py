"""Pages by a link: the provider gives the address of the next page, in the body or in the `Link` header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from ..errors import ProviderError
from ..model import Request
from ..path import Path
from .walking import circle, page_size

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..model import Page, Query


@dataclass(frozen=True, kw_only=True, slots=True)
class NextLinkInBody:
    """The address of the next page in the body, at the JSON path `link`.

    It may be absolute, or a path; a path that does not begin with that of the base URL is taken as one below it.
    It is sent as it was written. `size` and `most` are for the first page: the address holds the rest.

    Errors: a `ProviderError` for an address on another host, which would be handed the instance's token; for one
    outside the base URL; and for one that came before.

    >>> from connectory.model import Page, Query, Response
    >>> walk = NextLinkInBody(link="$next").walk(Request(path="/contacts"), Query(page_size=20))
    >>> next(walk).path
    '/contacts'
    >>> body = b'{"$next": "/contacts?page=2"}'
    >>> walk.send(Page(response=Response(status=200, headers={}, body=body, url="https://a.example/v3.1/contacts"),
    ...     rows=20)).path
    '/contacts?page=2'
    """

    link: str
    size: str | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        Path.parse(self.link)

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        return _follow(request, query, self.size, self.most, self._link)

    def _link(self, page: Page) -> str | None:
        link = Path.parse(self.link).find_in(page.response.body)
        return link.strip() or None if isinstance(link, str) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class NextLinkInHeader:
    """`Link: <https://api.example.com/things?page=2>; rel="next"` (RFC 8288).

    `rel` is the relation to follow. Addresses, `size`, `most` and errors are those of `NextLinkInBody`.

    >>> from connectory.model import Page, Query, Response
    >>> walk = NextLinkInHeader(size="per_page", most=100).walk(Request(path="/things"), Query(page_size=500))
    >>> next(walk).params
    (('per_page', '100'),)
    >>> headers = {"Link": '<https://a.example/things?page=2>; rel="next", <https://a.example/things>; rel="first"'}
    >>> walk.send(Page(response=Response(status=200, headers=headers, body=b"[]", url="https://a.example/things"),
    ...     rows=100)).path
    '/things?page=2'
    """

    rel: str = "next"
    size: str | None = None
    most: int | None = None

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        return _follow(request, query, self.size, self.most, self._link)

    def _link(self, page: Page) -> str | None:
        return link_header(page.response.headers.get("Link", "")).get(self.rel.lower())


_LINK = re.compile(r"""\s*<([^>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)\s*(?:,|\Z)""")
_ATTRIBUTE = re.compile(r""";\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))""")


def link_header(header: str) -> dict[str, str]:
    """The addresses of a `Link` header by their relation; those about another page (`anchor`) are left out.

    >>> link_header('</p?2>; rel="next last"; title="a, b", </p?1>; rel=prev')
    {'next': '/p?2', 'last': '/p?2', 'prev': '/p?1'}
    """
    found: dict[str, str] = {}
    for match in _LINK.finditer(header):
        attributes: dict[str, str] = {}
        for name, quoted, plain in _ATTRIBUTE.findall(match[2]):
            attributes.setdefault(name.lower(), quoted or plain)
        if "anchor" not in attributes:
            for relation in attributes.get("rel", "").lower().split():
                found.setdefault(relation, match[1].strip())
    return found


def _follow(
    request: Request, query: Query, size: str | None, most: int | None, link_of: Callable[[Page], str | None]
) -> Generator[Request, Page, None]:
    first = request if size is None else request.with_params(**{size: str(page_size(query, most))})
    page = yield first
    base = _base_path(page.response.url, request.path)
    seen: set[str] = set()
    while (link := link_of(page)) is not None:
        path = _below_base(link, page.response.url, base)
        if path in seen:
            raise circle("the provider gave the same address twice")
        seen.add(path)
        page = yield Request(path=path, headers=request.headers)


def _base_path(url: str, path: str) -> str:
    """The path of the base URL: what stands before the request's own path."""
    return urlsplit(url).path.removesuffix(path.partition("?")[0])


def _below_base(link: str, url: str, base: str) -> str:
    """The link as a request's path, with its query as it was written."""
    # Spaces and the like; what is encoded stays as it is.
    link = quote(link, safe="%/:=&?~#+!$,;'@()*[]")
    own, here = urlsplit(link), urlsplit(url)
    is_path = not own.scheme and not own.netloc and own.path.startswith("/")
    if is_path and not f"{own.path}/".startswith(f"{base}/"):
        return _target(own.path, own.query)
    there = urlsplit(urljoin(url, link))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise ProviderError(
            f"the next page is said to be on another host, {there.netloc or there.scheme}, which is not followed",
            hint="the instance's token is for its own host",
        )
    if not there.path.startswith(f"{base}/"):
        raise ProviderError(f"the next page is said to be at {there.path}, outside of {base or '/'}")
    return _target(there.path.removeprefix(base), there.query)


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
