"""Checks: the OAuth2 login, from the consent until it can no longer be renewed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from ...errors import AuthenticationError, ConnectoryError, ConsentRefusedError
from ...store.instances import NEEDS_REAUTH
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from .testclass import Contract
    from .world import World

_RENEWS = "sign with BearerAuth(tokens), or give your auth a method renew(prepared) that calls tokens.renew(rejected)"
_ASKS = "call `tokens.current()` for each request, and do not keep a token in the auth"


class Logins(ContractBase):
    def test_consent_is_asked_for(self, world: World) -> None:
        _need_oauth(world)
        flow = world.app.instances.flow(world.prepare())
        asked = parse_qs(urlsplit(flow.start().url).query)
        missing = [name for name in ("client_id", "response_type", "redirect_uri", "state") if not asked.get(name)]
        demand(
            not missing,
            f"the URL of the consent page lacks {', '.join(missing)}",
            "Connectory adds these parameters: authorize_url and authorize_params must not replace them",
        )

    def test_refused_consent_makes_no_instance(self, world: World) -> None:
        _need_oauth(world)
        flow = world.app.instances.flow(world.prepare())
        try:
            flow.finish(self.refuse(world.sandbox, flow.start().url))
        except ConsentRefusedError:
            demand(
                not world.gateway.renewals,
                "a token is requested after a refused consent",
                "refuse() of the test class must not allow the access",
            )
        except ConnectoryError as error:
            broken(
                f"a refused consent ends with {type(error).__name__}: {error}",
                "refuse() of the test class must return the redirect with error=access_denied and the same state",
            )
        else:
            broken("a refused consent gives a token", "refuse() of the test class must press Deny")

    def test_ended_access_token_is_renewed_once(self, world: World) -> None:
        before = _ended(world)
        _read(world)
        count = len(world.gateway.renewals) - before
        demand(count == 1, f"an ended access token was renewed {count} times for one request", _RENEWS)

    def test_renewed_token_is_stored_before_it_is_used(self, world: World) -> None:
        _ended(world)
        used: list[tuple[str, str]] = []

        def look(request: Request) -> None:
            stored = world.app.parts.tokens.load(world.instance)
            used.append((request.headers.get("Authorization", ""), stored.access_token.reveal() if stored else ""))

        world.gateway.watch = look
        _read(world)
        header, stored = used[-1]
        demand(
            stored and stored in header,
            "a request carries another access token than the stored one, so the new tokens would be lost in a crash",
            f"only Connectory may renew tokens: {_RENEWS}",
        )

    def test_rotated_refresh_token_is_kept(self, world: World) -> None:
        before = _ended(world, rotate=True)
        _read(world)
        given = [msgspec.json.decode(answer.body).get("refresh_token") for answer in world.gateway.renewals[before:]]
        stored = world.app.parts.tokens.load(world.instance)
        kept = stored.refresh_token.reveal() if stored and stored.refresh_token else ""
        demand(
            given and given[-1] == kept,
            "the provider issued a new refresh token, but the old one is still stored",
            f"only Connectory may renew tokens: {_RENEWS}",
        )
        self.end_access_tokens(world.sandbox)
        world.restart()
        _read(world)

    def test_token_is_renewed_before_it_is_refused(self, world: World) -> None:
        _need_oauth(world)
        _read(world)
        token = world.app.parts.tokens.load(world.instance)
        if token is None or token.expires_at is None:
            world.skip("the provider does not say when access tokens expire")
        world.clock.advance(token.expires_at - world.clock.now() + timedelta(seconds=1))
        count = len(world.gateway.calls)
        _read(world)
        demand(
            all(call.status < 400 for call in world.gateway.calls[count:]),
            "an expired token is sent all the same, until the provider refuses it",
            _ASKS,
        )

    def test_dead_login_needs_a_person(self, world: World) -> None:
        _need_oauth(world)
        resource = _any(self)
        instance_id = world.watch(resource)
        self.end_logins(world.sandbox)
        world.try_to_poll()
        row = world.app.instances.get(instance_id)
        demand(
            row.state == NEEDS_REAUTH,
            f"after all its tokens were ended, the instance is {row.state}: {world.states()[0].failure}",
            "the judge must answer RENEW to a refused token, and OAuth2.is_dead must recognise a refused refresh token",
        )

    def test_new_login_repairs_it(self, world: World) -> None:
        _need_oauth(world)
        draft = world.app.instances.draft_of(world.instance)
        self.end_logins(world.sandbox)
        token = world.log_in(draft)
        if token is None:
            broken("a second consent gives no token", "consent() of the sandbox must work more than once")
        world.app.instances.reauthenticate(world.instance, token)
        _read(world)


def _need_oauth(world: World) -> None:
    if world.element.oauth is None:
        world.skip("the element does not use OAuth2")


def _ended(world: World, *, rotate: bool = False) -> int:
    """End the access token of the instance; return how many tokens were requested so far."""
    _need_oauth(world)
    _read(world)
    if rotate:
        # Before the token is ended, so that the next renewal is the first to rotate.
        world.contract.rotate_refresh_tokens(world.sandbox)
    world.contract.end_access_tokens(world.sandbox)
    return len(world.gateway.renewals)


def _read(world: World) -> None:
    name = _any(world.contract)
    request, _ = world.plan(name).request(world.window())
    try:
        world.client.send(request)
    except AuthenticationError as error:
        broken(f"an ended access token ends the login: {error}", f"{_RENEWS}; the judge must answer RENEW to it")
    except ConnectoryError as error:
        broken(
            f"{name} cannot be read with a token that has to be renewed: {type(error).__name__}: {error}",
            "the judge must answer RENEW to the provider's refusal of an ended token (by default a 401)",
        )


def _any(contract: Contract) -> str:
    return contract.names()[0]
