"""The old name of `connectory.sandbox`. It works with a warning until the first release."""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType
from typing import Any

_MOVED = {
    "": "",
    ".app": ".app",
    ".authority": ".authority",
    ".browser": ".browser",
    ".call": ".call",
    ".clock": ".clock",
    ".control": ".control",
    ".faults": ".faults",
    ".log": ".log",
    ".oauth": ".oauth",
    ".pages": ".lists.pages",
    ".provider": ".provider",
    ".replies": ".replies",
    ".resource": ".lists.resource",
    ".routes": ".routes",
    ".switches": ".switches",
    ".table": ".lists.table",
}


class _Forward(ModuleType):
    def __getattr__(self, name: str) -> Any:
        new = f"connectory.sandbox{_MOVED[self.__name__.removeprefix(__name__)]}"
        value = getattr(importlib.import_module(new), name)
        if not name.startswith("__"):
            text = f"{self.__name__} is now {new}; the old name works until the first release"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        return value


# Importing a submodule finds these entries after this package is imported.
sys.modules |= {f"{__name__}{old}": _Forward(f"{__name__}{old}") for old in _MOVED if old}
sys.modules[__name__].__class__ = _Forward
