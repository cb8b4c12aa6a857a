"""Checks: the sandbox is fit for testing the element."""

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
            f"configuration(base_url) returns {given!r}",
            "return the configuration keys of an instance that uses the sandbox",
        )
        demand(
            any(BASE_URL in str(value) for value in given.values()),
            "the sandbox's configuration does not contain its own URL, so an instance would call the real provider",
            "return base_url from `configure`, under the key from which the element reads its base URL",
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
            "the sandbox answers requests that carry no login, so the checks of logins prove nothing",
            "set sandbox.oauth, or sandbox.authenticate (api_key, basic)",
        )

    def test_sandbox_takes_steps(self, world: World) -> None:
        done: Any = take_step(world.sandbox)
        demand(
            isinstance(done, str) and done.strip(),
            f"step() returns {done!r}",
            "return what was changed, for example `created orders 7`",
        )

    def test_steps_are_found(self, world: World) -> None:
        for name in self.names():
            world.watch(name)
        for _ in range(_STEPS):
            take_step(world.sandbox)
        world.poll()
        demand(
            world.told(),
            f"{_STEPS} steps of the sandbox make no change that a poll finds",
            "the sandbox's step() must change records of the resources that are polled",
        )

    def test_sandboxes_do_not_share_their_state(self, world: World) -> None:
        resource = self.names()[0]
        before = len(world.ids(resource))
        other = open_sandbox(self, world.plugins, world.element)
        demand(
            other is not world.sandbox,
            "connect_open_sandbox returns the same sandbox twice",
            "make a new one at each call",
        )
        self.set_clock(other, world.provider_now)
        self.create(other, resource)
        demand(
            len(world.ids(resource)) == before,
            "a record that is created in one sandbox appears in another",
            "keep the tables in the sandbox object, not in the module",
        )


def take_step(sandbox: ProviderSandbox) -> str:
    if not isinstance(sandbox, TakesSteps):
        broken(
            "the sandbox has no step()",
            "build it on connectory.sandbox.Sandbox and give a table a `sample`, or the sandbox a `habit`",
        )
    return sandbox.step()
