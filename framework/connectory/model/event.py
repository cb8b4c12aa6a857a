"""The kinds of events."""

from __future__ import annotations

import enum


class EventType(enum.StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
