"""A person with a browser who logs in and allows the access."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from werkzeug.test import Client

_MOST_PAGES = 6
_TYPED = {"text": "username", "email": "username", "password": "password"}
"""What people type into an input, by its type."""


def consent(
    application: Any,
    authorize_url: str,
    *,
    username: str,
    password: str,
    answer: str = "allow",
) -> str:
    """Fill in the pages of a WSGI application; the address that the browser is sent to in the end.

    `answer` may be `deny`. `RuntimeError` where a page has no form, as for a client that is not known.

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
    here, method = authorize_url, "GET"
    sent: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        parts = urlsplit(here)
        reply = browser.open(
            path=parts.path,
            query_string=parts.query,
            base_url=f"{parts.scheme}://{parts.netloc}/",
            method=method,
            data=sent,
        )
        if "Location" in reply.headers:
            here, method, sent = urljoin(here, reply.headers["Location"]), "GET", {}
            if urlsplit(here).netloc != urlsplit(authorize_url).netloc:
                return here
            continue
        form = _Form(reply.text)
        if form.action is None:
            raise RuntimeError(f"the sandbox shows no form to fill in, but {reply.status_code}: {reply.text[-200:]}")
        here, method, sent = urljoin(here, form.action), "POST", form.filled(username, password, answer)
    raise RuntimeError("the sandbox asks the same again and again")


class _Form(HTMLParser):
    """A form as people see it: a field to type a name into, one for the password, and a button `answer`."""

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
