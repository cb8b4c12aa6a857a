"""The application: everything that the faces (command line, programs, later API and console) call.

`App` opens a store and holds what a face needs, one attribute per noun: `elements`, `instances`, `polls`, `events`,
`deliveries`. `Running` polls and delivers in threads. `Acts` is the one place that every change passes, with its actor.
Results are plain dataclasses, and `as_json` shows them in the form that all faces share.
"""

from __future__ import annotations

from ..serialize import as_json
from .app import App, open_app
from .deliveries import Attempt, Delivery
from .elements import ConfigurationKey, ElementDetails, Elements, ElementSummary, ResourceSummary
from .events import Event
from .running import Attempted, Observer, Running, Summary
from .types import (
    Announced,
    AuthorizationFlow,
    Backfilled,
    Check,
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
    "Announced",
    "App",
    "Attempt",
    "Attempted",
    "AuthorizationFlow",
    "Backfilled",
    "Check",
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
