"""The sandbox with the person who uses it: logs in, allows the access, and changes records."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests

from .address import SUBDOMAIN
from .sandbox import create_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .sandbox import Sandbox

USER = "integration"
_TIMEOUT = 10
_MOST_PAGES = 6


class Playground:
    """A WSGI application. What a test needs beyond this class is in `sandbox`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self.sandbox(environ, start_response)

    def configuration(self, base_url: str) -> dict[str, str]:
        """What an instance needs to use the sandbox behind this address."""
        client = next(iter(self.sandbox.authority.clients.values()))
        return {SUBDOMAIN: base_url, "oauth.api.key": client.client_id, "oauth.api.secret": client.client_secret}

    def consent(self, authorize_url: str) -> str:
        """Log in and press Allow. The address that the browser would then be sent to."""
        with requests.Session() as browser:
            browser.trust_env = False
            return _allow(browser, authorize_url)

    def break_with(self, faults: Sequence[str]) -> None:
        """Have these faults on every call, `NAME` or `NAME=VALUE`; ValueError names those that are known."""
        from .sandbox import parse_fault

        self.sandbox.faults.always([parse_fault(fault) for fault in faults])

    def step(self) -> str:
        """One change of one record, as somebody at work would make it."""
        done = self.sandbox.people.step()
        return f"{done.change} {done.table} {done.sys_id}"


def open_playground() -> Playground:
    return Playground(create_sandbox())


def _allow(browser: requests.Session, authorize_url: str) -> str:
    here, method = authorize_url, "GET"
    sent: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        reply = browser.request(method, here, data=sent, allow_redirects=False, timeout=_TIMEOUT)
        if reply.is_redirect:
            here, method, sent = urljoin(here, reply.headers["Location"]), "GET", {}
            if urlsplit(here).netloc != urlsplit(authorize_url).netloc:
                return here
            continue
        form = _Form(reply.text)
        if form.action is None:
            raise RuntimeError(f"the sandbox shows no form to fill in, but {reply.status_code}: {reply.text[-200:]}")
        here, method, sent = urljoin(here, form.action), "POST", form.filled()
    raise RuntimeError("the sandbox asks the same again and again")


class _Form(HTMLParser):
    """The form of a page, filled in as a person would."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif given.get("type") == "hidden":
            self.hidden[given.get("name", "")] = given.get("value", "")
        elif "name" in given:
            self.names.add(given["name"])

    def filled(self) -> dict[str, str]:
        answers = {"user_name": USER, "user_password": USER, "answer": "allow"}
        return self.hidden | {name: answers[name] for name in self.names if name in answers}
