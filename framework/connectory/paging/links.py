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

    The address may be absolute or a path. A path that does not begin with the path of the base URL is taken as a path
    below it. The address is sent unchanged. `size` and `most` apply to the first page, because the address holds
    everything else.

    Errors: a `ProviderError` if the address is on another host, which would receive the instance's token, if it is
    outside the base URL, or if it comes twice.

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

    `rel` is the relation to follow. Addresses, `size`, `most` and errors are as for `NextLinkInBody`.

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
    """The addresses of a `Link` header by their relation. Links about another page (`anchor`) are left out.

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
    """The path of the base URL: the part of the URL's path before the path of the request."""
    return urlsplit(url).path.removesuffix(path.partition("?")[0])


def _below_base(link: str, url: str, base: str) -> str:
    """The link as the path of a request, with its query unchanged."""
    # Encode spaces and similar characters; what is encoded already stays unchanged.
    link = quote(link, safe="%/:=&?~#+!$,;'@()*[]")
    own, here = urlsplit(link), urlsplit(url)
    is_path = not own.scheme and not own.netloc and own.path.startswith("/")
    if is_path and not f"{own.path}/".startswith(f"{base}/"):
        return _target(own.path, own.query)
    there = urlsplit(urljoin(url, link))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise ProviderError(
            f"the link to the next page leads to another host, {there.netloc or there.scheme}, and is not followed",
            hint="the instance's token must not be sent to another host",
        )
    if not there.path.startswith(f"{base}/"):
        raise ProviderError(f"the link to the next page leads to {there.path}, which is outside of {base or '/'}")
    return _target(there.path.removeprefix(base), there.query)


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
