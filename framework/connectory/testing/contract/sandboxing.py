"""Checks: the sandbox is one that the element can be tried against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...errors import ConnectoryError
from ...sandbox.protocol import TakesSteps
from .base import ContractBase
from .failing import broken, demand
from .loading import BASE_URL, open_sandbox

if TYPE_CHECKING:
    from ...sandbox.protocol import ProviderSandbox
    from .world import World

_STEPS = 40


class Sandboxing(ContractBase):
    def test_sandbox_configures_an_instance(self, world: World) -> None:
        given: Any = world.sandbox.configuration(BASE_URL)
        demand(
            isinstance(given, Mapping) and all(isinstance(key, str) for key in given),
            f"configuration(base_url) gives {given!r}",
            "return the configuration keys of an instance that uses the sandbox",
        )
        demand(
            any(BASE_URL in str(value) for value in given.values()),
            "nothing of the sandbox's configuration names its own address, so an instance would ask the real provider",
            "let `configure` put base_url where the element reads its address from",
        )

    def test_sandbox_lets_no_stranger_in(self, world: World) -> None:
        resource = self.names()[0]
        request, _ = world.plan(resource).request(world.window())
        stranger = replace(world.client, auth=None)
        try:
            stranger.send(request)
        except ConnectoryError:
            return
        broken(
            "the sandbox answers requests that carry no login, so no check of a login means anything",
            "set sandbox.oauth, or sandbox.authenticate (api_key, basic)",
        )

    def test_sandbox_takes_steps(self, world: World) -> None:
        done: Any = take_step(world.sandbox)
        demand(
            isinstance(done, str) and done.strip(),
            f"step() says {done!r}",
            "let it return what was changed, such as `created orders 7`",
        )

    def test_steps_are_found(self, world: World) -> None:
        for name in self.names():
            world.watch(name)
        for _ in range(_STEPS):
            take_step(world.sandbox)
        world.poll()
        demand(
            world.told(),
            f"{_STEPS} steps of the sandbox change nothing that a poll finds",
            "let the sandbox's people change records of the resources that are polled",
        )

    def test_sandboxes_do_not_share_their_state(self, world: World) -> None:
        resource = self.names()[0]
        before = len(world.ids(resource))
        other = open_sandbox(self, world.plugins, world.element)
        demand(
            other is not world.sandbox, "connect_open_sandbox gives the same sandbox twice", "make a new one each time"
        )
        self.set_clock(other, world.provider_now)
        self.create(other, resource)
        demand(
            len(world.ids(resource)) == before,
            "a record that is made in one sandbox shows up in another",
            "keep the sandbox's tables in the sandbox, and not in the module",
        )


def take_step(sandbox: ProviderSandbox) -> str:
    if not isinstance(sandbox, TakesSteps):
        broken(
            "the sandbox has no step()",
            "build it on connectory.sandbox.Sandbox and give a table a `sample`, or the sandbox a `habit`",
        )
    return sandbox.step()
