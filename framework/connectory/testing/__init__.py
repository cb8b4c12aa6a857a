"""Tools for testing an element; Connectory tests itself with them too.

`ElementContract` is a class of checks that the test class of an element inherits; see `contract`. It needs pytest; the
other modules do not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import ElementContract

__all__ = ["ElementContract"]


def __getattr__(name: str) -> Any:
    if name != "ElementContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        importlib.import_module("pytest")
    except ModuleNotFoundError as error:
        raise ImportError(
            "ElementContract runs under pytest, which is not installed: pip install 'connectory[plugin-test]'"
        ) from error
    return importlib.import_module(".contract", __name__).ElementContract
