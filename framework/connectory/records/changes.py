"""Decides what each record of a page means. Pure: no I/O, no clock.

A record is news when its version differs from the one that was announced. `version` is the updated stamp and the
provider's own change counter, or a hash of the content where the provider counts nothing.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import duration_micros, from_micros, to_micros
from ..errors import ProviderError
from ..model import EventType

if TYPE_CHECKING:
    from ..dates import Codec
    from ..plans.plan import Plan

HOUR = 3_600_000_000

GONE = "(deleted) "
"""What the version of an object begins with that was announced as deleted; no provider's stamp does."""


class Finding(enum.StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    SEEN = "seen"
    BEFORE_WINDOW = "before the window"
    NEXT_POLL = "left to the next poll"
    BASELINE = "baseline"
    HIDDEN = "hidden"
    IGNORED = "ignored"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One record that is to be announced or remembered. `row` is its place in the page; moments are microseconds.

    `changed` names the fields that differ from the last version, and `previous` has their values in it.
    """

    row: int
    object_id: str
    version: str
    finding: Finding
    reason: str
    date: int | None
    sequence: int
    changed: Sequence[str] | None = None
    previous: Mapping[str, msgspec.Raw] | None = None

    @property
    def type(self) -> EventType:
        if self.finding is Finding.CREATED:
            return EventType.CREATED
        return EventType.DELETED if self.finding is Finding.DELETED else EventType.UPDATED


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """A poll's window in microseconds. `started` is the provider's time when the poll began.

    `baseline` says that this is the first poll of records that have no dates: they are remembered, not announced.
    """

    start: int
    end: int
    started: int
    baseline: bool = False


@dataclass(kw_only=True, slots=True)
class Stamps:
    """The dates of one poll's records: each text is parsed once, and None stands for one that cannot be read."""

    codec: Codec | None
    _known: dict[Any, int | None] = field(default_factory=dict)

    def micros(self, value: Any) -> int | None:
        value = plain(value)
        if value is None or value == "" or self.codec is None:
            return None
        try:
            return self._known[value]
        except KeyError:
            self._known[value] = micros = _parse(self.codec, value)
            return micros
        except TypeError:
            # A list or an object where a date should be.
            return None


def _parse(codec: Codec, value: Any) -> int | None:
    try:
        return to_micros(codec.parse(value))
    except (ValueError, TypeError, OverflowError):
        return None


def plain(value: Any) -> Any:
    """The stored value of a field that the provider gives together with its label."""
    if isinstance(value, Mapping):
        return value.get("value")
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    """A page's records by id and version, in its order; the id is None for a record that shows nothing of itself."""

    rows: Sequence[Any]
    ids: Sequence[str | None]
    versions: Sequence[str]

    @property
    def usable(self) -> int:
        return len(self.ids) - self.ids.count(None)


def identify(plan: Plan, rows: Sequence[Any], body: bytes) -> Identified:
    get_id = plan.object_id
    ids = [_id(get_id(row)) for row in rows]
    if plan.version is not None and plan.updated is not None:
        get_updated, get_version = plan.updated, plan.version
        versions = [f"{plain(get_updated(row))}|{plain(get_version(row))}" for row in rows]
        return Identified(rows=rows, ids=ids, versions=versions)
    raws = plan.raws(body)
    versions = [content_hash(raw) for raw in raws]
    if None in ids:
        ids = [_content_id(raw) if key is None else key for key, raw in zip(ids, raws, strict=True)]
    return Identified(rows=rows, ids=ids, versions=versions)


def _id(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    value = plain(value)
    return None if value is None or value == "" else str(value)


def _content_id(raw: msgspec.Raw) -> str | None:
    """A name for a record whose entry names no id field; None for one that shows no field at all."""
    return None if bytes(raw).strip() in {b"{}", b"null"} else f"#{content_hash(raw)}"


def content_hash(raw: msgspec.Raw) -> str:
    """The same for the same content, whatever the order of its keys."""
    canonical = msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


@dataclass(kw_only=True, slots=True)
class Classifier:
    """Classifies the records of one poll."""

    plan: Plan
    bounds: Bounds
    updated: Stamps = field(init=False)
    created: Stamps = field(init=False)
    too_far: int = field(init=False)

    def __post_init__(self) -> None:
        self.updated = Stamps(codec=self.plan.updated_codec)
        self.created = Stamps(codec=self.plan.created_codec)
        # The template stepped back by one unit and was cut to it, and a zone's clock may have been put back an hour.
        slack = 2 * duration_micros(self.plan.unit) + 2 * HOUR
        self.too_far = self.bounds.start - slack

    def classify(self, row: int, record: Any, object_id: str, version: str, known: tuple[int, str] | None) -> Change:
        """What a record means whose version is news. `known` is the sequence and version last announced."""
        updated = self._updated(record)
        finding, reason = self._find(record, object_id, updated, known)
        return Change(
            row=row,
            object_id=object_id,
            version=version,
            finding=finding,
            reason=reason,
            date=updated,
            sequence=(known[0] if known else 0) + 1,
        )

    def _updated(self, record: Any) -> int | None:
        updated = None
        if self.plan.updated is not None and self.plan.entry.filter_by_updated_date:
            updated = self.updated.micros(self.plan.updated(record))
        if updated is None and self.plan.created is not None:
            updated = self.created.micros(self.plan.created(record))
        return updated

    def _find(
        self, record: Any, object_id: str, updated: int | None, known: tuple[int, str] | None
    ) -> tuple[Finding, str]:
        if updated is None:
            return self._find_undated(object_id, known)
        if updated < self.bounds.start - self.plan.ambiguity:
            if self.plan.filters and updated < self.too_far:
                raise _filter_ignored(self.plan, object_id, updated, self.bounds.start)
            return Finding.BEFORE_WINDOW, "updated before the window"
        if self.plan.entry.filter_by_current_date and updated > self.bounds.started:
            return Finding.NEXT_POLL, "updated after this poll started"
        if known is not None:
            return _find_known(known)
        return self._find_unknown(record, updated)

    def _find_undated(self, object_id: str, known: tuple[int, str] | None) -> tuple[Finding, str]:
        if self.plan.updated is None and self.plan.created is None:
            if self.bounds.baseline:
                return Finding.BASELINE, "no date to compare: remembered at the first poll"
            if known is None or _is_gone(known):
                return Finding.CREATED, "not there before"
            return Finding.UPDATED, "its content changed"
        if known is not None and _is_gone(known):
            return _find_known(known)
        return Finding.UPDATED, f"{self.plan.name} {object_id} has no date that can be read"

    def _find_unknown(self, record: Any, updated: int) -> tuple[Finding, str]:
        created = self.created.micros(self.plan.created(record)) if self.plan.created is not None else None
        if created is None:
            return Finding.UPDATED, "no created date that can be read"
        if created >= self.bounds.start:
            return Finding.CREATED, "created in the window, never announced"
        if self.plan.begun is not None and created >= self.plan.begun:
            # It was changed during each poll that would have read it.
            return Finding.CREATED, "created since the instance began, never announced"
        tolerance = duration_micros(self.plan.entry.created_check_tolerance)
        if abs(updated - created) <= tolerance:
            return Finding.CREATED, "created and updated at the same time"
        return Finding.UPDATED, "created before the window"


def _find_known(known: tuple[int, str]) -> tuple[Finding, str]:
    if _is_gone(known):
        return Finding.CREATED, "there again, after it was announced as deleted"
    return Finding.UPDATED, "announced before, with another version"


def _is_gone(known: tuple[int, str]) -> bool:
    return known[1].startswith(GONE)


def _filter_ignored(plan: Plan, object_id: str, updated: int, start: int) -> ProviderError:
    return ProviderError(
        f"the provider ignored the filter: {plan.name} {object_id} was updated {_show(updated)},"
        f" and {_show(start)} or later was asked for",
        hint="check the field names in the poll URL and the rights of the login; nothing was announced or skipped",
    )


def _show(micros: int) -> str:
    return from_micros(micros).isoformat(timespec="seconds").replace("+00:00", "Z")
