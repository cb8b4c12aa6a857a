"""Poller entries: what an instance polls, and how.

The defaults of the keys are in `connectory.model.PollerEntry` and its parts, so the schemas here have none.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from ..model import DatesConfiguration, PollerEntry, TrackChanges, TrackDeletes
from .fields import Minutes, Seconds, Switch
from .problems import messages_of


class DatesSchema(Schema):
    class Meta:
        unknown = INCLUDE

    updated_field = fields.String(data_key="updatedDateField", allow_none=True)
    updated_format = fields.String(data_key="updatedDateFormat", allow_none=True)
    updated_timezone = fields.String(data_key="updatedDateTimezone", allow_none=True)
    created_field = fields.String(data_key="createdDateField", allow_none=True)
    created_format = fields.String(data_key="createdDateFormat", allow_none=True)
    created_timezone = fields.String(data_key="createdDateTimezone", allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> DatesConfiguration:
        return DatesConfiguration(**_known(self, data))


class TrackDeletesSchema(Schema):
    interval = Minutes(allow_none=True)
    max_share = fields.Float(data_key="maxShare", validate=validate.Range(min=0, max=1))
    confirm = fields.Boolean(allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TrackDeletes:
        return TrackDeletes(**data)


class TrackChangesSchema(Schema):
    previous = fields.Boolean()

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TrackChanges:
        return TrackChanges(**data)


class PollerEntrySchema(Schema):
    """One resource's entry. Unknown keys are accepted, because entries written for other platforms have some."""

    class Meta:
        unknown = INCLUDE

    url = fields.String(required=True, validate=validate.Length(min=1, max=16_384))
    id_field = fields.String(data_key="idField")
    dates = fields.Nested(DatesSchema, data_key="datesConfiguration")
    filter_by_updated_date = fields.Boolean(data_key="filterByUpdatedDate")
    filter_by_current_date = fields.Boolean(data_key="filterByCurrentDate")
    created_check_tolerance = Seconds(data_key="createdCheckTolerance")
    page_size = fields.Integer(data_key="pageSize", allow_none=True, validate=validate.Range(min=1, max=10_000))
    poll_delay = Seconds(data_key="pollDelay")
    overlap = Seconds(allow_none=True)
    track_deletes = Switch(TrackDeletesSchema, data_key="trackDeletes")
    track_changes = Switch(TrackChangesSchema, data_key="trackChanges")
    ignore_fields = fields.List(fields.String(), data_key="ignoreFields")

    @pre_load
    def accept_the_other_spelling(self, data: Any, **_: Any) -> Any:
        if isinstance(data, Mapping) and "filterByUpdateDate" in data:
            return {"filterByUpdatedDate": data["filterByUpdateDate"], **data}
        return data

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> PollerEntry:
        return PollerEntry(**_known(self, data) | {"ignore_fields": tuple(data.get("ignore_fields", ()))})


def _known(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in schema.fields}


@functools.cache
def poller_entry_schema() -> PollerEntrySchema:
    return PollerEntrySchema()


class PollerConfiguration(fields.Field[dict[str, PollerEntry]]):
    """`event.poller.configuration`: an object with an entry per resource, or the same as JSON text."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> dict[str, PollerEntry]:
        if isinstance(value, str):
            value = parse_json(value)
        if not isinstance(value, Mapping):
            raise ValidationError(f"expected an object with an entry per resource, got {type(value).__name__}")
        entries, errors = {}, {}
        for resource, entry in value.items():
            try:
                entries[str(resource)] = poller_entry_schema().load(entry)
            except ValidationError as error:
                errors[str(resource)] = messages_of(error)
        if errors:
            raise ValidationError(errors)
        return entries


def parse_json(text: str) -> Any:
    """The value of a JSON text; an empty text is an empty object."""
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValidationError(f"this is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError) as error:
        raise ValidationError(f"this cannot be read as JSON: {error}") from None
