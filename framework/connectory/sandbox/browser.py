"""Plays a person with a browser who logs in and allows the access."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from werkzeug.test import Client

_MOST_PAGES = 6
_TYPED = {"text": "username", "email": "username", "password": "password"}
"""What a person types into an input, by its type."""


def consent(
    application: Any,
    authorize_url: str,
    *,
    username: str,
    password: str,
    answer: str = "allow",
) -> str:
    """Fill in the login pages of a WSGI application; return the URL that the browser is redirected to in the end.

    `answer` may be `deny`. `RuntimeError` if a page has no form, for example because the client is not known.

    >>> from connectory.sandbox import Authority, OAuth2Server, Sandbox
    >>> fake = Sandbox()
    >>> fake.oauth = OAuth2Server(authority=Authority(clock=fake.clock, make_code=lambda: "c0de"))
    >>> query = f"response_type=code&client_id={fake.oauth.client.client_id}&redirect_uri=https://app.example/done"
    >>> there = f"http://127.0.0.1:8092/oauth/authorize?{query}"
    >>> consent(fake, there, username="sandbox", password="sandbox")
    'https://app.example/done?code=c0de'
    >>> consent(fake, there, username="sandbox", password="sandbox", answer="deny")
    'https://app.example/done?error=access_denied'
    """
    browser = Client(application)
    page = _open(browser, authorize_url, "GET", {})
    for _ in range(_MOST_PAGES):
        if page.redirect is not None:
            if urlsplit(page.redirect).netloc != urlsplit(authorize_url).netloc:
                return page.redirect
            page = _open(browser, page.redirect, "GET", {})
            continue
        form = _Form(page.text)
        if form.action is None:
            raise RuntimeError(f"the sandbox answered {page.status} without a form to fill in: {page.text[-200:]}")
        page = _open(browser, urljoin(page.url, form.action), "POST", form.filled(username, password, answer))
    raise RuntimeError(f"the sandbox still asks for more after {_MOST_PAGES} pages")


@dataclass(frozen=True, kw_only=True)
class _Page:
    """`redirect` is an absolute URL, or None."""

    url: str
    status: int
    text: str
    redirect: str | None


def _open(browser: Client, url: str, method: str, data: dict[str, str]) -> _Page:
    parts = urlsplit(url)
    base_url = f"{parts.scheme}://{parts.netloc}/"
    reply = browser.open(path=parts.path, query_string=parts.query, base_url=base_url, method=method, data=data)
    location = reply.headers.get("Location")
    redirect = None if location is None else urljoin(url, location)
    return _Page(url=url, status=reply.status_code, text=reply.text, redirect=redirect)


class _Form(HTMLParser):
    """A form as people see it: an input for the user name, one for the password, and a button `answer`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and kind == "hidden":
            self.hidden[name] = given.get("value", "")
        elif name == "answer":
            self.names["answer"] = name
        elif tag == "input" and kind in _TYPED:
            self.names[_TYPED[kind]] = name

    def filled(self, username: str, password: str, answer: str) -> dict[str, str]:
        known = {"username": username, "password": password, "answer": answer}
        return self.hidden | {name: known[meaning] for meaning, name in self.names.items()}
