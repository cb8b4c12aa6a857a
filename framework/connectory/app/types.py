"""What faces need of the rooms below, by name: no face imports those rooms itself."""

from __future__ import annotations

from ..engine.backfill import Backfilled
from ..engine.cursor import Cursor
from ..engine.doctor import Check
from ..engine.explanation import Explanation, PageNote, RecordNote
from ..engine.instances import Draft
from ..engine.listener import LoopbackListener
from ..engine.oauth import AuthorizationFlow
from ..engine.outbox import Announced
from ..engine.views import Instance, PollState, Subscription
from ..plugins import PluginInfo

__all__ = [
    "Announced",
    "AuthorizationFlow",
    "Backfilled",
    "Check",
    "Cursor",
    "Draft",
    "Explanation",
    "Instance",
    "LoopbackListener",
    "PageNote",
    "PluginInfo",
    "PollState",
    "RecordNote",
    "Subscription",
]
