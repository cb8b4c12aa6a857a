"""What `connect` asks of a sandbox. `Provider` and `Sandbox` do all of it; a sandbox of your own may do less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@runtime_checkable
class ProviderSandbox(Protocol):
    """A WSGI application that fakes a provider. Every sandbox has to do this much."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Iterable[bytes]: ...

    def configuration(self, base_url: str, /) -> Mapping[str, Any]:
        """The configuration keys of an instance that uses the sandbox at this URL."""
        ...


@runtime_checkable
class PlaysLogin(Protocol):
    """A sandbox that can log in by itself. Without this, a person logs in with a browser."""

    def consent(self, authorize_url: str, /) -> str:
        """Log in and allow the access; return the URL that the browser is redirected to."""
        ...


@runtime_checkable
class ShowsLogin(Protocol):
    """A sandbox with login pages that people may use too. Without this, no login is shown to them."""

    @property
    def credentials(self) -> tuple[str, str] | None:
        """A user name and its password; None if there are no login pages."""
        ...


@runtime_checkable
class TakesSteps(Protocol):
    """A sandbox whose records change while it runs. Without this, they change only through its API."""

    def step(self) -> str:
        """Make one change, as a person at work would, and return what was done."""
        ...


@runtime_checkable
class HasFaults(Protocol):
    """A sandbox that can misbehave on demand. Without this, `--fault` is refused."""

    def break_with(self, faults: Sequence[str], /) -> None:
        """Apply these faults, `NAME` or `NAME=VALUE`, to every call; `ValueError` if one is not known."""
        ...
