"""Checks: the judge recognises each kind of error answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import AuthenticationError, ConnectoryError, ProviderError, RetryLaterError
from ...model import Request, Response
from .base import ContractBase
from .failing import broken, demand
from .gateway import Trouble, cut, dropped, gateway_page, login_page, nothing

if TYPE_CHECKING:
    from .world import World

_ASKED_TO_WAIT = 40


class Judging(ContractBase):
    def test_refused_token_needs_a_login(self, world: World) -> None:
        world.plan(self.names()[0])
        before = len(world.gateway.renewals)
        world.gateway.always = world.error(401)
        found = _ask(world)
        world.gateway.always = None
        _is(found, AuthenticationError, "401 to every request", "RENEW")
        count = len(world.gateway.renewals) - before
        demand(
            count <= 1,
            f"a token that stays refused is renewed {count} times",
            "renew() of the auth must renew only once",
        )

    def test_forbidden_is_no_page(self, world: World) -> None:
        found = _ask(world, world.error(403), world.error(403))
        _is(found, ConnectoryError, "403", "FAIL")

    def test_not_found_is_no_page_and_no_dead_login(self, world: World) -> None:
        path = world.resource(self.names()[0]).path
        for wrong in ("/no-such-path", f"{path}/no-such-record"):
            found = world.exchange(Request(path=wrong))
            _is(found, ProviderError, f"the answer to {wrong}", "FAIL")

    def test_rate_limit_is_waited_for(self, world: World) -> None:
        found = _ask(world, world.error(429, "too many requests", {"Retry-After": str(_ASKED_TO_WAIT)}))
        _is(found, RetryLaterError, "429", "RETRY")
        demand(
            found.retry_after is not None and found.retry_after >= _ASKED_TO_WAIT,
            f"429 with Retry-After: {_ASKED_TO_WAIT} is tried again after {found.retry_after} s",
            "set retry_after of the verdict; `quota()` and `model.retry_after` read the header",
        )

    def test_rate_limit_without_a_time_is_waited_for(self, world: World) -> None:
        _is(_ask(world, world.error(429)), RetryLaterError, "429 without Retry-After", "RETRY")

    def test_server_error_is_tried_again(self, world: World) -> None:
        _is(_ask(world, world.error(500)), RetryLaterError, "500", "RETRY")

    def test_unavailable_is_tried_again(self, world: World) -> None:
        _is(_ask(world, world.error(503)), RetryLaterError, "503", "RETRY")

    def test_gateway_page_is_tried_again(self, world: World) -> None:
        _is(_ask(world, gateway_page()), RetryLaterError, "502 with a page of HTML", "RETRY")

    def test_web_page_is_no_list(self, world: World) -> None:
        _is(_ask(world, login_page()), ProviderError, "200 with a page of HTML", "RETRY (page_instead_of_json())")

    def test_broken_connection_is_tried_again(self, world: World) -> None:
        _is(_ask(world, dropped), RetryLaterError, "a connection that ends in the middle", "RETRY")

    def test_cut_page_is_no_list(self, world: World, resource: str) -> None:
        world.create_many(resource, 2)
        _check_unreadable(world, resource, cut, "a page that was cut in the middle")

    def test_empty_answer_is_no_list(self, world: World, resource: str) -> None:
        _check_unreadable(world, resource, nothing(), "200 without a body")

    def test_failed_page_announces_nothing(self, world: World, resource: str) -> None:
        world.watch(resource)
        since = world.states()[0].since
        world.create(resource)
        world.gateway.always = login_page()
        world.try_to_poll()
        world.gateway.always = None
        state = world.states()[0]
        demand(
            state.failure and not world.told() and state.since == since,
            f"a page of HTML counts as an empty list of {resource}, so the cursor moves on and changes are lost",
            "the judge must refuse answers that are not JSON; page_instead_of_json() does",
        )

    def test_provider_says_why(self, world: World) -> None:
        found = _ask(world, world.error(400, "the colour is unknown"))
        _is(found, ProviderError, "400", "FAIL")
        demand(
            "the colour is unknown" in f"{found} {found.provider_message}",
            f"the error message of the provider is lost: {found}",
            "set provider_message of the verdict: judges(message=message_at(...))",
        )

    def test_judge_survives_anything(self, world: World) -> None:
        for status in (200, 201, 204, 304, 400, 401, 402, 403, 404, 409, 410, 418, 422, 429, 500, 599):
            for body in (b"", b"null", b"[]", b"{}", b"7", b'{"error": null}', b'{"error": [1]}', b"<html", b"\xff{"):
                for kind in ("application/json", "text/html; charset=utf-8", ""):
                    _judged(world, Response(status=status, headers={"Content-Type": kind}, body=body))


def _judged(world: World, response: Response) -> None:
    try:
        verdict: Any = world.element.judge(response)
    except Exception as error:  # noqa: BLE001 - this is what the check is about
        broken(
            f"the judge fails at status {response.status} with the body {response.body!r}:"
            f" {type(error).__name__}: {error}",
            "the judge must return a verdict for every answer, also for those of proxies and during outages",
        )
    demand(
        hasattr(verdict, "action"),
        f"the judge returns {verdict!r} for status {response.status}",
        "return a Verdict for every answer, for example judge_by_status(response) at the end",
    )


def _ask(world: World, *troubles: Trouble) -> Any:
    """The result of a list request: an answer or an error."""
    return world.ask(world.contract.names()[0], *troubles)


def _is(found: Any, wanted: type[ConnectoryError], what: str, action: str) -> None:
    said = f"is accepted as a list: {found!r:.80}"
    if isinstance(found, ConnectoryError):
        said = f"ends with {type(found).__name__}: {found}"
    demand(isinstance(found, wanted), f"{what} {said}", f"Element.judge must answer {action} to it")


def _check_unreadable(world: World, resource: str, trouble: Trouble, what: str) -> None:
    plan = world.plan(resource)
    found = world.ask(resource, trouble)
    if isinstance(found, ConnectoryError):
        demand(
            not isinstance(found, AuthenticationError), f"{what} ends the login: {found}", "the judge must answer RETRY"
        )
        return
    try:
        rows = plan.rows(found.body)
    except msgspec.DecodeError:
        # A poll asks for it again in smaller pages.
        return
    broken(
        f"{what} counts as a list of {len(rows)} records of {resource}",
        "the judge must check that the body is complete",
    )
