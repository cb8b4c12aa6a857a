"""One resource's entry of `event.poller.configuration`, with the defaults of its keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class DatesConfiguration:
    """`datesConfiguration` of a poller entry: JSON paths, SimpleDateFormat patterns, and their zones."""

    updated_field: str | None = None
    updated_format: str | None = None
    updated_timezone: str | None = None
    created_field: str | None = None
    created_format: str | None = None
    created_timezone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackDeletes:
    """`trackDeletes` of a poller entry. If a value is None, the resource's way of finding deletions decides.

    One sweep announces at most `max_share` of the known objects as deleted, or 5 objects if that is more. A person
    must allow it to announce more than that.
    """

    interval: timedelta | None = None
    max_share: float = 0.1
    confirm: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackChanges:
    """`trackChanges` of a poller entry: events name the changed fields, and with `previous` also their old values."""

    previous: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PollerEntry:
    """One resource of `event.poller.configuration`, with timedeltas for the durations that it has in seconds."""

    url: str
    id_field: str = ""
    dates: DatesConfiguration = field(default_factory=DatesConfiguration)
    filter_by_updated_date: bool = True
    filter_by_current_date: bool = False
    created_check_tolerance: timedelta = timedelta(0)
    page_size: int | None = None
    poll_delay: timedelta = timedelta(0)
    overlap: timedelta | None = None
    track_deletes: TrackDeletes | None = None
    track_changes: TrackChanges | None = None
    ignore_fields: tuple[str, ...] = ()
