"""What the world of a check, and who works in it, need of the test class that the check belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from werkzeug.wrappers import Response

    from ...model import Element
    from ...plugins import Plugins
    from ...sandbox.protocol import ProviderSandbox


class Contract(Protocol):
    """A part of `base.ContractBase`, which describes it."""

    plugin: Any
    element: str
    resources: Sequence[str]
    configuration: Mapping[str, Any]
    may_skip: Collection[str] | None

    def names(self) -> Sequence[str]: ...
    def open_sandbox(self, plugins: Plugins, element: Element) -> ProviderSandbox | None: ...
    def create(self, sandbox: Any, resource: str) -> str: ...
    def update(self, sandbox: Any, resource: str, record_id: str) -> None: ...
    def delete(self, sandbox: Any, resource: str, record_id: str) -> None: ...
    def consent(self, sandbox: Any, authorize_url: str) -> str: ...
    def set_clock(self, sandbox: Any, now: Callable[[], datetime]) -> None: ...
    def end_access_tokens(self, sandbox: Any) -> None: ...
    def rotate_refresh_tokens(self, sandbox: Any) -> None: ...
    def error(self, sandbox: Any, status: int, message: str) -> Response: ...
