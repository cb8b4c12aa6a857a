"""Finds the id and the version of each record of a page. Pure: no I/O, no clock.

A version consists of the updated stamp and the provider's own change counter. Where the provider has no counter, it is
a hash of the content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from .raws import RawRecords

if TYPE_CHECKING:
    from ..plans.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Identified:
    """The records of a page, in the page's order. The id of a record is None if the record does not show it.

    `rows` hold the fields that the plan reads, `raws` the whole records.
    """

    rows: Sequence[Any]
    ids: Sequence[str | None]
    versions: Sequence[str]
    raws: Sequence[msgspec.Raw]

    @property
    def usable(self) -> int:
        return len(self.ids) - self.ids.count(None)


NO_RECORDS = Identified(rows=(), ids=(), versions=(), raws=())


def identify(plan: Plan, body: bytes) -> Identified:
    rows, raws = plan.rows(body), RawRecords(plan.raws, body)
    ids = [id_text(plan.object_id(row)) for row in rows]
    if plan.version is not None and plan.updated is not None:
        get_updated, get_version = plan.updated, plan.version
        versions = [f"{plain(get_updated(row))}|{plain(get_version(row))}" for row in rows]
        return Identified(rows=rows, ids=ids, versions=versions, raws=raws)
    versions = [content_hash(raw) for raw in raws]
    if None in ids:
        ids = [_content_id(raw) if key is None else key for key, raw in zip(ids, raws, strict=True)]
    return Identified(rows=rows, ids=ids, versions=versions, raws=raws)


def plain(value: Any) -> Any:
    """The stored value of a field that the provider sends together with its label."""
    if isinstance(value, Mapping):
        return value.get("value")
    return value


def id_text(value: Any) -> str | None:
    """An id as text; None if the record does not show its id."""
    if type(value) is str:
        return value or None
    value = plain(value)
    return None if value is None or value == "" else str(value)


def content_hash(raw: msgspec.Raw) -> str:
    """A hash that is the same for the same content, whatever the order of its keys."""
    canonical = msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def _content_id(raw: msgspec.Raw) -> str | None:
    """An id made of the content, for entries without an id field; None for a record without any field."""
    return None if bytes(raw).strip() in {b"{}", b"null"} else f"#{content_hash(raw)}"
