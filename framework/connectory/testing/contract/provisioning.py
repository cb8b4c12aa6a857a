"""Checks: the element is registered and complete, and instances of it can be created."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...errors import AuthenticationError, ConnectoryError
from ...model import resolve_endpoint
from ...secrets import Secret
from ...store.instances import ACTIVE
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from .world import World

_KEY = re.compile(r"[a-z][a-z0-9_-]*")
_MOST_PROBED = 100_000


class Provisioning(ContractBase):
    def test_element_is_registered(self, world: World) -> None:
        demand(
            world.element.key == self.element,
            f"the element's key is {world.element.key!r}",
            "use the same key in `element` of the test class and in the Element",
        )

    def test_metadata_is_complete(self, world: World) -> None:
        element = world.element
        demand(
            _KEY.fullmatch(element.key),
            f"the key {element.key!r} is not a valid key",
            "use small letters, digits, - and _, starting with a letter: people type it",
        )
        for name in ("name", "hub"):
            demand(
                str(getattr(element, name)).strip(), f"the element has no {name}", f"set Element.{name}: people see it"
            )

    def test_base_url_is_one(self, world: World) -> None:
        base_url = resolve_endpoint(world.element.base_url, world.config)
        parts = urlsplit(base_url)
        demand(
            parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc,
            f"the base URL is {base_url!r}",
            "Element.base_url must be an absolute URL without a user name or password",
        )

    def test_instance_is_made(self, world: World) -> None:
        row = world.app.instances.get(world.instance)
        demand(
            row.state == ACTIVE,
            f"a new instance is {row.state}: {row.state_reason}",
            "the sandbox must accept the login in its own configuration",
        )

    def test_probe_is_cheap(self, world: World) -> None:
        probe = world.element.probe
        if probe is None:
            broken("the element has no probe, so a wrong login is noticed only at the first poll", "set Element.probe")
        answer = world.client.send(probe)
        demand(probe.method == "GET", f"the probe is a {probe.method}", "probe with a GET that changes nothing")
        demand(
            len(answer.body) <= _MOST_PROBED,
            f"the probe reads {len(answer.body)} bytes",
            "ask for a single record, or for the user who is logged in",
        )

    def test_wrong_login_is_refused_at_once(self, world: World) -> None:
        cure = "Element.probe must ask for something that the provider refuses to a wrong login"
        try:
            if world.element.oauth is None:
                world.establish(_with_wrong_secrets(world))
            else:
                draft = world.prepare()
                token = world.log_in(draft)
                self.end_logins(world.sandbox)
                world.app.instances.establish(draft, token)
        except AuthenticationError:
            left = world.app.instances.find(element=world.element.key)
            demand(not left, "a refused login leaves an instance behind", cure)
        except ConnectoryError as error:
            broken(
                f"a wrong login ends with {type(error).__name__}: {error}",
                "the judge must answer RENEW to the provider's refusal of a wrong login (by default a 401)",
            )
        else:
            broken("an instance is created with a login that does not work", cure)


def _with_wrong_secrets(world: World) -> dict[str, object]:
    secrets = {key: "wrong-login" for key, value in world.config.items() if isinstance(value, Secret) and value}
    if not secrets:
        broken(
            "no field of the configuration is a secret, so a wrong login cannot be tried",
            "make the field that holds the login a SecretField",
        )
    return world.configuration(**secrets)
