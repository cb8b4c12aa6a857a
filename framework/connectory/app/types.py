"""The types of the lower packages that the command line, and later the API and the console, need.

They import these types from here, never from the lower packages.
"""

from __future__ import annotations

from ..insight.doctor import Check, CheckState
from ..insight.explanation import Explanation, PageNote, RecordNote
from ..instances.draft import Draft
from ..instances.login.consent import AuthorizationFlow
from ..instances.login.loopback import LOOPBACK_CALLBACK, LoopbackListener
from ..instances.views import Instance, PollState, Subscription
from ..plugins import PluginInfo
from ..polling.backfill import Backfilled
from ..polling.cursor import Cursor
from ..records.outbox import AnnouncedEvent

__all__ = [
    "LOOPBACK_CALLBACK",
    "AnnouncedEvent",
    "AuthorizationFlow",
    "Backfilled",
    "Check",
    "CheckState",
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
