"""Rules about what the plugin says about its elements and their provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from ....model import Action, Response
from ..rule import Outcome, Rule, Tier, met_unless, not_applicable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ....model import Element
    from ..subject import Subject

_KEY = re.compile(r"[a-z][a-z0-9_-]*\Z")
_SANDBOX = ("configuration", "step")


def per_element(check: Callable[[Subject, Element], Iterator[str]]) -> Callable[[Subject], Outcome]:
    """Make a rule that checks each element of a plugin. It does not apply to a plugin without elements."""

    def ask(subject: Subject) -> Outcome:
        if not subject.elements:
            return not_applicable("it provides no element")
        several = len(subject.elements) > 1
        return met_unless(
            f"{element.key}: {text}" if several else text
            for element in subject.elements
            for text in check(subject, element)
        )

    return ask


@per_element
def metadata(subject: Subject, element: Element) -> Iterator[str]:
    if not _KEY.match(element.key):
        yield f"the key {element.key!r} does not consist of lower-case letters and digits"
    for name in ("name", "hub"):
        if not getattr(element, name).strip():
            yield f"it has no {name}"


@per_element
def described(subject: Subject, element: Element) -> Iterator[str]:
    if not element.description.strip():
        yield "the element has no description"


@per_element
def sandboxed(subject: Subject, element: Element) -> Iterator[str]:
    sandbox = subject.sandbox(element)
    if sandbox is None:
        yield "connect_open_sandbox is not answered"
        return
    if not callable(sandbox):
        yield f"{sandbox!r} is not a WSGI application"
    needed = (*_SANDBOX, "consent") if element.oauth else _SANDBOX
    yield from (f"the sandbox has no {name}" for name in needed if not callable(getattr(sandbox, name, None)))


@per_element
def probed(subject: Subject, element: Element) -> Iterator[str]:
    if element.probe is None:
        yield "it has no probe"


@per_element
def names_account(subject: Subject, element: Element) -> Iterator[str]:
    if element.oauth is not None and element.account is None:
        yield "it does not name the account that is logged in"


@per_element
def limited(subject: Subject, element: Element) -> Iterator[str]:
    if not element.limits:
        yield "it has no limits"


@per_element
def judges_well(subject: Subject, element: Element) -> Iterator[str]:
    for what, response, wanted in _trials():
        action = element.judge(response).action
        if action not in wanted:
            yield f"{what} is judged {action.value!r}, expected {' or '.join(one.value for one in wanted)}"
    verdict = element.judge(_response(429, {"Retry-After": "7"}))
    if verdict.action is Action.RETRY and verdict.retry_after != 7:
        yield f"Retry-After: 7 becomes {verdict.retry_after}"


def _trials() -> Iterator[tuple[str, Response, tuple[Action, ...]]]:
    patient = (Action.RETRY, Action.SHRINK)
    page = b"<!DOCTYPE html><html><body>Please log in</body></html>"
    yield "429 with Retry-After", _response(429, {"Retry-After": "7"}), (Action.RETRY,)
    yield "503", _response(503), patient
    yield "403", _response(403), (Action.FAIL, Action.RENEW, Action.EMPTY)
    refusing = (Action.FAIL, Action.RETRY, Action.RENEW)
    yield "200 with a web page instead of JSON", _response(200, {"Content-Type": "text/html"}, page), refusing


def _response(status: int, headers: dict[str, str] | None = None, body: bytes = b"{}") -> Response:
    given = {"Content-Type": "application/json"} | (headers or {})
    return Response(status=status, headers=CaseInsensitiveDict(given), body=body, url="https://provider.example/list")


RULES = (
    Rule(
        id="element-metadata",
        tier=Tier.BRONZE,
        title="Its elements have a key, a name and a hub",
        reason="They appear in URLs, in notifications, and where people choose an element.",
        cure="Fill in Element.key, name and hub; the key consists of lower-case letters, digits, - and _.",
        check=metadata,
    ),
    Rule(
        id="element-description",
        tier=Tier.SILVER,
        title="Its elements are described",
        reason="`connect elements show` tells people what the element connects.",
        cure="Add a sentence as Element.description: which records of which system.",
        check=described,
    ),
    Rule(
        id="sandbox",
        tier=Tier.SILVER,
        title="It brings a sandbox of its provider",
        reason="People can then try the element without an account, and so can the contract tests.",
        cure="Answer connect_open_sandbox; with connectory.sandbox.Sandbox that takes a few lines.",
        check=sandboxed,
    ),
    Rule(
        id="probe",
        tier=Tier.SILVER,
        title="It has a cheap request that proves a login",
        reason="A wrong key is then found when the instance is created, not only at its first poll.",
        cure="Set Element.probe to a Request for one small record.",
        check=probed,
    ),
    Rule(
        id="account",
        tier=Tier.GOLD,
        title="It names the account that is logged in",
        reason="Otherwise a new login to another account would announce the records of a stranger.",
        cure="Set Element.account to a function that asks the provider who is logged in.",
        check=names_account,
    ),
    Rule(
        id="limits",
        tier=Tier.GOLD,
        title="It says how much the provider allows",
        reason="All instances of an account then share its budget and stay below the limit.",
        cure="Set Element.limits; use Limit() if only the provider's answers tell the limit.",
        check=limited,
    ),
    Rule(
        id="verdicts",
        tier=Tier.GOLD,
        title="It tells refusals, limits and outages apart",
        reason="Passing problems are retried when the provider says so, and a login page is never an empty list.",
        cure="Set Element.judge, e.g. to judges(page_instead_of_json(), quota((429, 503)), ...) of connectory.",
        check=judges_well,
    ),
)
