"""The application: everything that the command line, programs, and later the API and the console call.

1. `App` (app) is an open store. It has one attribute per noun: `elements`, `instances`, `polls`, `events` and
   `deliveries`, each in a file of its name.
2. `Running` (running) polls and delivers in threads. An `Observer` is told what happens.
3. `Acts` (acts) is the one place that every change passes, with its actor.

Results are plain dataclasses. `as_json` turns them into the JSON that the command line, the API and the console show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..serialize import as_json
from .acts import Act, Acts
from .app import App, open_app
from .deliveries import Attempt, Delivery
from .elements import ConfigurationKey, ElementDetails, Elements, ElementSummary, ResourceSummary
from .events import Event
from .running import Attempted, Observer, Running, Summary

if TYPE_CHECKING:
    from .types import (
        LOOPBACK_CALLBACK,
        AnnouncedEvent,
        AuthorizationFlow,
        Backfilled,
        Check,
        CheckState,
        Cursor,
        Draft,
        Explanation,
        Instance,
        LoopbackListener,
        PageNote,
        PluginInfo,
        PollState,
        RecordNote,
        Subscription,
    )

__all__ = [
    "LOOPBACK_CALLBACK",
    "Act",
    "Acts",
    "AnnouncedEvent",
    "App",
    "Attempt",
    "Attempted",
    "AuthorizationFlow",
    "Backfilled",
    "Check",
    "CheckState",
    "ConfigurationKey",
    "Cursor",
    "Delivery",
    "Draft",
    "ElementDetails",
    "ElementSummary",
    "Elements",
    "Event",
    "Explanation",
    "Instance",
    "LoopbackListener",
    "Observer",
    "PageNote",
    "PluginInfo",
    "PollState",
    "RecordNote",
    "ResourceSummary",
    "Running",
    "Subscription",
    "Summary",
    "as_json",
    "open_app",
]


def __getattr__(name: str) -> Any:
    """Import the types at their first use: a process that only polls needs few of them, and they take memory."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import types

    return getattr(types, name)
