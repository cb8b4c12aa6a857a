"""The base of all groups of checks: what a test class sets, and the world that a check runs in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ...sandbox import consent
from ..stores import quick_folder
from .failing import broken, explained
from .gateway import json_error
from .loading import NO_RESOURCE, resource_names
from .world import World, open_world

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from werkzeug.wrappers import Response

    from ...model import Element
    from ...plugins import Plugins
    from ...sandbox import Table
    from ...sandbox.protocol import ProviderSandbox


class ContractBase:
    """The attributes that a test class sets, and the methods that it may override.

    A `sandbox` argument is `Any` here, so that a test class may annotate it with its own class.
    """

    plugin: Any = None
    """The module or object with the hookimpls, as the entry point names it; a tuple if there are several."""

    element: str = ""
    """The element's key."""

    resources: Sequence[str] = ()
    """The resources to check; if empty, all that can be polled."""

    configuration: Mapping[str, Any] = {}
    """Added to what the sandbox's `configuration(base_url)` gives."""

    may_skip: Collection[str] | None = None
    """The names of the checks that may be skipped because they do not apply; None allows all of them. A check that is
    skipped without being named fails, so that no check is lost unnoticed."""

    _found: ClassVar[Sequence[str]] = ()

    def open_sandbox(self, plugins: Plugins, element: Element) -> ProviderSandbox | None:
        """A new sandbox, by default what connect_open_sandbox returns. A smaller one makes the checks faster."""
        return plugins.open_sandbox(element)

    # What people do at the provider

    def create(self, sandbox: Any, resource: str) -> str:
        """Make a record as a person would, and return its id.

        By default it is a row of the sandbox's table of that name, with values from the table's `sample`.
        """
        table = self._table(sandbox, resource, "create")
        return str(table.insert(table.make_up())[table.id])

    def update(self, sandbox: Any, resource: str, record_id: str) -> None:
        """Change a record, so that its updated stamp changes too."""
        table = self._table(sandbox, resource, "update")
        made_up = {name: value for name, value in table.make_up().items() if name != table.id}
        table.update(record_id, made_up)

    def delete(self, sandbox: Any, resource: str, record_id: str) -> None:
        """Delete a record."""
        self._table(sandbox, resource, "delete").delete(record_id)

    def consent(self, sandbox: Any, authorize_url: str) -> str:
        """Log in and allow the access; return the URL that the browser is redirected to."""
        answer: str = sandbox.consent(authorize_url)
        return answer

    def refuse(self, sandbox: Any, authorize_url: str) -> str:
        """Log in and deny the access; return the URL that the browser is redirected to.

        By default this uses the pages of the sandbox's OAuth2 server; without one, the URL is built as RFC 6749 says.
        """
        people = getattr(getattr(getattr(sandbox, "oauth", None), "authority", None), "people", None)
        if people:
            username, password = next(iter(people.items()))
            return consent(sandbox, authorize_url, username=username, password=password, answer="deny")
        asked = parse_qs(urlsplit(authorize_url).query)
        fields = {"error": "access_denied", "state": asked.get("state", [""])[0]}
        return f"{asked.get('redirect_uri', [''])[0]}?{urlencode(fields)}"

    # What happens at the provider

    def set_clock(self, sandbox: Any, now: Callable[[], datetime]) -> None:
        """Make the sandbox use `now` as its clock."""
        clock: Any = getattr(sandbox, "clock", None)
        if not hasattr(clock, "source"):
            broken(
                "the sandbox has no clock that a test can move",
                "build it on connectory.sandbox.Sandbox, or override set_clock() in the test class",
            )
        clock.source = now

    def end_access_tokens(self, sandbox: Any) -> None:
        """End all access tokens, as if they had expired; refresh tokens stay valid."""
        self._authority(sandbox, "end_access_tokens").expire("access")

    def end_logins(self, sandbox: Any) -> None:
        """End all tokens, as if an administrator had revoked them."""
        self._authority(sandbox, "end_logins").expire("all")

    def rotate_refresh_tokens(self, sandbox: Any) -> None:
        """Make each renewal issue a new refresh token and end the old one, from now on."""
        authority = self._authority(sandbox, "rotate_refresh_tokens")
        authority.switches = replace(authority.switches, rotate_refresh=True)

    def error(self, sandbox: Any, status: int, message: str) -> Response:
        """An error reply in the provider's format."""
        make = getattr(sandbox, "error", None)
        reply: Response = json_error(status, message) if make is None else make(status, message)
        return reply

    # For pytest

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.partition(".contract")[0] == __name__.partition(".contract")[0]:
            for name, check in list(vars(cls).items()):
                if name.startswith("test_"):
                    setattr(cls, name, explained(check))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check that takes a `resource` once for each resource."""
        if "resource" in metafunc.fixturenames:
            metafunc.parametrize("resource", self.names())

    @classmethod
    def names(cls) -> Sequence[str]:
        """The resources to check; they are determined once for each test class."""
        if "_found" not in cls.__dict__:
            cls._found = _resource_names(cls())
        return cls._found

    @pytest.fixture
    def world(self, request: pytest.FixtureRequest) -> Iterator[World]:
        with quick_folder() as home, open_world(self, home, request.node.originalname) as opened:
            yield opened

    # Helpers of the defaults

    def _table(self, sandbox: Any, resource: str, method: str) -> Table:
        tables: Mapping[str, Table] = getattr(sandbox, "tables", {})
        name = resource if resource in tables else resource.replace("-", "_")
        if name not in tables:
            broken(
                f"the sandbox has no table {resource!r} to {method} a record in",
                f"add it to the sandbox (`sandbox.table({resource!r}, ...)`), or override {method}() in the test class",
            )
        return tables[name]

    def _authority(self, sandbox: Any, method: str) -> Any:
        authority = getattr(getattr(sandbox, "oauth", None), "authority", None)
        if authority is None:
            broken(
                "the sandbox has no `oauth` with an authority, so its tokens cannot be ended",
                f"set sandbox.oauth to an OAuth2Server, or override {method}() in the test class",
            )
        return authority


def _resource_names(contract: ContractBase) -> Sequence[str]:
    try:
        return resource_names(contract) or [NO_RESOURCE]
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - the checks report what is wrong with the plugin one by one
        return [NO_RESOURCE]
