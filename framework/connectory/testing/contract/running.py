"""Runs the checks of a test class outside pytest."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from ..stores import quick_folder
from .world import open_world

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from .base import ContractBase


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one check. `resource` is empty if it is not about one; `message` says why it did not pass."""

    check: str
    resource: str = ""
    status: Literal["passed", "failed", "skipped"] = "passed"
    message: str = ""


def run_contract(contract: type[ContractBase], checks: Collection[str] = ()) -> Iterator[Outcome]:
    """Run the checks of these names, or all of them. A check of a resource runs once for each resource.

    >>> from connectory.testing import ElementContract
    >>> class TestDemo(ElementContract):
    ...     element = "demo"
    >>> [(outcome.status, outcome.message) for outcome in run_contract(TestDemo, ["test_element_is_registered"])]
    [('failed', 'the test class names no plugin\\ncure: set `plugin` to the module with the hookimpls')]
    """
    for name, check in inspect.getmembers(contract, inspect.isfunction):
        if name.startswith("test_") and (not checks or name in checks):
            about = contract.names() if "resource" in inspect.signature(check).parameters else [""]
            for resource in about:
                yield _run(contract(), check, name, resource)


def _run(contract: ContractBase, check: Callable[..., None], name: str, resource: str) -> Outcome:
    try:
        with quick_folder() as home, open_world(contract, home, name) as world:
            check(contract, world, *([resource] if resource else []))
    except pytest.skip.Exception as skipped:
        return Outcome(check=name, resource=resource, status="skipped", message=str(skipped))
    except pytest.fail.Exception as failed:
        return Outcome(check=name, resource=resource, status="failed", message=str(failed))
    return Outcome(check=name, resource=resource)
