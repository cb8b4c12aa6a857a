"""What the plugin says of its elements and of how their provider behaves."""

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
    """A rule about each element of a plugin; one that provides none need not meet it."""

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
        yield f"the key {element.key!r} is not of lower-case letters and digits"
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
        yield f"{sandbox!r} is no WSGI application"
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
        reason="They stand in URLs, in notifications, and wherever people choose an element.",
        cure="Fill in Element.key, name and hub; the key is of lower-case letters, digits, - and _.",
        check=metadata,
    ),
    Rule(
        id="element-description",
        tier=Tier.SILVER,
        title="Its elements are described",
        reason="`connect elements show` tells people what they would connect.",
        cure="Add a sentence as Element.description: which records, of what.",
        check=described,
    ),
    Rule(
        id="sandbox",
        tier=Tier.SILVER,
        title="It brings a sandbox of its provider",
        reason="People try an element, and tests hold it to the contract, without an account.",
        cure="Answer connect_open_sandbox; connectory.sandbox.Sandbox makes one in a few lines.",
        check=sandboxed,
    ),
    Rule(
        id="probe",
        tier=Tier.SILVER,
        title="It has a cheap request that proves a login",
        reason="A wrong key is then found when the instance is created, and not when it is first polled.",
        cure="Set Element.probe to a Request for one small record.",
        check=probed,
    ),
    Rule(
        id="account",
        tier=Tier.GOLD,
        title="It names the account that is logged in",
        reason="A new login of another account would announce the records of a stranger.",
        cure="Set Element.account to a function that asks the provider who is logged in.",
        check=names_account,
    ),
    Rule(
        id="limits",
        tier=Tier.GOLD,
        title="It says how much the provider allows",
        reason="All instances of an account then share its budget, and nobody runs into a limit.",
        cure="Set Element.limits; Limit() where only the provider's answers tell.",
        check=limited,
    ),
    Rule(
        id="verdicts",
        tier=Tier.GOLD,
        title="It tells refusals, limits and outages apart",
        reason="What passes by itself is tried again when the provider says so; a login page is never an empty list.",
        cure="Set Element.judge, e.g. to judges(page_instead_of_json(), quota((429, 503)), ...) of connectory.",
        check=judges_well,
    ),
)
