"""What goes in and out as JSON: the body of `POST /instances`, an instance's configuration, its poller entries.

An instance's configuration has flat dotted keys. The schema of one element joins three parts: the `event.*` keys that
every element has, the `oauth.*` keys where it uses OAuth2, and the element's own.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dateutil.parser import isoparse
from marshmallow import INCLUDE, Schema, ValidationError, fields, missing, post_load, pre_load, validate

from . import hints
from .errors import ConfigurationError
from .model import DatesConfiguration, PollerEntry, TrackChanges, TrackDeletes
from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .model import Config, Element

POLLER_CONFIGURATION = "event.poller.configuration"
REFRESH_INTERVAL = "event.poller.refresh_interval"
IDLE_BACKOFF = "event.poller.idle_backoff"
NOTIFICATIONS_ENABLED = "event.notification.enabled"
CALLBACK_URL = "event.notification.callback.url"
SIGNATURE_KEY = "event.notification.signature.key"
OAUTH_CALLBACK_URL = "oauth.callback.url"

LOOPBACK_CALLBACK = "http://127.0.0.1:8723/callback"
"""Where the provider sends a person after the consent, when a program on this machine waits for them."""
FIRST_POLL = "event.poller.first_poll"

_SECRET_NAME = re.compile(r"secret|password|token$|signature\.key|subscription\.key", re.IGNORECASE)
_NOT_SECRET = re.compile(r"^oauth\.(token\.|user\.refresh_(interval|time))", re.IGNORECASE)


# Fields


class SecretField(fields.Field[Secret]):
    """A string that is encrypted at rest and printed as asterisks."""

    def __init__(self, **options: Any) -> None:
        options["metadata"] = {"secret": True} | options.get("metadata", {})
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValidationError("expected a string")
        return Secret(value)


class Minutes(fields.Field[timedelta]):
    """A number of minutes, as a number or as text; fractions are allowed."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> timedelta:
        return _duration(value, "minutes", least=timedelta(seconds=1))


class Seconds(fields.Field[timedelta]):
    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> timedelta:
        return _duration(value, "seconds", least=timedelta(0))


def _duration(value: Any, unit: str, *, least: timedelta) -> timedelta:
    try:
        if isinstance(value, bool):
            raise TypeError
        duration = timedelta(**{unit: float(value)})
    except (TypeError, ValueError, OverflowError):
        raise ValidationError(f"{value!r} is not a number of {unit}") from None
    if duration < least:
        raise ValidationError(f"{value!r} {unit} is too short: at least {least.total_seconds():g} seconds")
    return duration


# Beyond them, zones and overlaps lead out of what dates can say.
_FIRST_YEAR, _LAST_YEAR = 1971, 2999
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f]")


class CallbackURL(fields.Field[str]):
    """An absolute http or https URL."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("expected a URL such as https://example.com/events")
        try:
            parts = urlsplit(value.strip())
            port_is_valid = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_is_valid = urlsplit(""), False
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or not port_is_valid
            or parts.fragment
            or _NOT_IN_URL.search(value.strip())
        ):
            raise ValidationError(f"{value!r} is no URL that can be called: expected e.g. https://example.com/events")
        if parts.username or parts.password:
            raise ValidationError("a user name or password in the URL would end up in logs: leave it out")
        return value.strip()


class PollerConfiguration(fields.Field[dict[str, PollerEntry]]):
    """`event.poller.configuration`: an object, or the same as JSON text."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> dict[str, PollerEntry]:
        if isinstance(value, str):
            value = _parse_json(value)
        if not isinstance(value, Mapping):
            raise ValidationError(f"expected an object with an entry per resource, got {type(value).__name__}")
        schema, entries, errors = _poller_entry_schema(), {}, {}
        for resource, entry in value.items():
            try:
                entries[str(resource)] = schema.load(entry)
            except ValidationError as error:
                errors[str(resource)] = _messages(error)
        if errors:
            raise ValidationError(errors)
        return entries


def _parse_json(text: str) -> Any:
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValidationError(f"this is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError) as error:
        raise ValidationError(f"this cannot be read as JSON: {error}") from None


class FirstPoll(fields.Field[str]):
    """`now`, `all`, or an ISO date-time."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        text = str(value).strip()
        if text in {"now", "all"}:
            return text
        try:
            parse_first_poll(text, datetime.now(UTC))
        except ValueError:
            raise ValidationError(
                f"{text!r} is neither `now`, nor `all`, nor a date such as 2026-01-31T00:00:00Z"
            ) from None
        return text


# Poller entries


class DatesSchema(Schema):
    class Meta:
        unknown = INCLUDE

    updated_field = fields.String(data_key="updatedDateField", load_default=None, allow_none=True)
    updated_format = fields.String(data_key="updatedDateFormat", load_default=None, allow_none=True)
    updated_timezone = fields.String(data_key="updatedDateTimezone", load_default=None, allow_none=True)
    created_field = fields.String(data_key="createdDateField", load_default=None, allow_none=True)
    created_format = fields.String(data_key="createdDateFormat", load_default=None, allow_none=True)
    created_timezone = fields.String(data_key="createdDateTimezone", load_default=None, allow_none=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> DatesConfiguration:
        return DatesConfiguration(**_known(self, data))


class TrackDeletesSchema(Schema):
    interval = Minutes(load_default=None)
    max_share = fields.Float(data_key="maxShare", load_default=0.1, validate=validate.Range(min=0, max=1))
    confirm = fields.Boolean(load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TrackDeletes:
        return TrackDeletes(**data)


class TrackChangesSchema(Schema):
    previous = fields.Boolean(load_default=False)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> TrackChanges:
        return TrackChanges(**data)


class Switch(fields.Field[Any]):
    """False, true, or an object with options, which means true."""

    def __init__(self, options: type[Schema], **more: Any) -> None:
        super().__init__(load_default=None, **more)
        self._options = options

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        if isinstance(value, Mapping):
            return self._options().load(value)
        if str(value).lower() not in {"true", "false"}:
            raise ValidationError(f"{value!r} is neither true, nor false, nor an object with options")
        return self._options().load({}) if str(value).lower() == "true" else None


class PollerEntrySchema(Schema):
    """One resource's entry. Keys that Connectory does not know are accepted: other platforms' entries have some."""

    class Meta:
        unknown = INCLUDE

    url = fields.String(required=True, validate=validate.Length(min=1, max=16_384))
    id_field = fields.String(data_key="idField", load_default="")
    dates = fields.Nested(DatesSchema, data_key="datesConfiguration", load_default=DatesConfiguration)
    filter_by_updated_date = fields.Boolean(data_key="filterByUpdatedDate", load_default=True)
    filter_by_current_date = fields.Boolean(data_key="filterByCurrentDate", load_default=False)
    created_check_tolerance = Seconds(data_key="createdCheckTolerance", load_default=timedelta(0))
    page_size = fields.Integer(data_key="pageSize", load_default=None, validate=validate.Range(min=1, max=10_000))
    poll_delay = Seconds(data_key="pollDelay", load_default=timedelta(0))
    overlap = Seconds(load_default=None)
    track_deletes = Switch(TrackDeletesSchema, data_key="trackDeletes")
    track_changes = Switch(TrackChangesSchema, data_key="trackChanges")
    ignore_fields = fields.List(fields.String(), data_key="ignoreFields", load_default=())

    @pre_load
    def accept_the_other_spelling(self, data: Any, **_: Any) -> Any:
        if isinstance(data, Mapping) and "filterByUpdateDate" in data:
            return {"filterByUpdatedDate": data["filterByUpdateDate"], **data}
        return data

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> PollerEntry:
        return PollerEntry(**_known(self, data) | {"ignore_fields": tuple(data["ignore_fields"])})


def _known(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in schema.fields}


@functools.cache
def _poller_entry_schema() -> PollerEntrySchema:
    return PollerEntrySchema()


# An instance's configuration


class EventConfiguration(Schema):
    """The `event.*` keys of every element, with their defaults."""

    class Meta:
        unknown = INCLUDE

    enabled = fields.Boolean(
        data_key=NOTIFICATIONS_ENABLED,
        load_default=False,
        metadata={"label": "Events Enabled", "description": "Poll for changes and announce them."},
    )
    callback_url = CallbackURL(
        data_key=CALLBACK_URL,
        load_default=None,
        allow_none=True,
        metadata={"label": "Event Notification Callback URL", "description": "Where notifications are sent."},
    )
    signature_key = SecretField(
        data_key=SIGNATURE_KEY,
        load_default=None,
        allow_none=True,
        metadata={
            "label": "Callback Notification Signature Key",
            "description": "Signs the notifications; none, and they are not signed.",
        },
    )
    vendor_type = fields.String(
        data_key="event.vendor.type",
        load_default="polling",
        validate=validate.OneOf(["polling"], error="{input!r} is not supported: events come from `polling`"),
        metadata={"label": "Event Source", "description": "How changes are found: `polling`."},
    )
    refresh_interval = Minutes(
        data_key=REFRESH_INTERVAL,
        load_default=timedelta(minutes=15),
        metadata={"label": "Event poller refresh interval (mins)", "description": "Minutes between two polls."},
    )
    idle_backoff = Minutes(
        data_key=IDLE_BACKOFF,
        load_default=None,
        allow_none=True,
        metadata={
            "label": "Longest idle interval (mins)",
            "description": "Polls that find nothing become rarer, up to this many minutes apart; none: they do not.",
        },
    )
    poller_configuration = PollerConfiguration(
        data_key=POLLER_CONFIGURATION,
        load_default=None,
        allow_none=True,
        metadata={"label": "Configure Polling", "description": "What to poll and how: JSON, an entry per resource."},
    )
    first_poll = FirstPoll(
        data_key=FIRST_POLL,
        load_default="now",
        metadata={
            "label": "First Poll",
            "description": "What the first poll announces: changes from `now` on, `all`, or since a date.",
        },
    )


class OAuthConfiguration(Schema):
    """The `oauth.*` keys of elements that use OAuth2."""

    class Meta:
        unknown = INCLUDE

    api_key = fields.String(
        data_key="oauth.api.key",
        required=True,
        validate=validate.Length(min=1),
        metadata={"label": "API Key", "description": "The client id that the provider gave your application."},
    )
    api_secret = SecretField(
        data_key="oauth.api.secret",
        required=True,
        metadata={"label": "API Secret", "description": "The client secret that belongs to it."},
    )
    oauth_callback_url = CallbackURL(
        data_key=OAUTH_CALLBACK_URL,
        load_default=None,
        allow_none=True,
        metadata={"label": "Callback URL", "description": "Where the provider sends the user after the consent."},
    )
    scope = fields.String(
        data_key="oauth.scope",
        load_default=None,
        allow_none=True,
        metadata={"label": "Scope", "description": "The scope to ask for; the provider's default where empty."},
    )
    refresh_token = SecretField(
        data_key="oauth.user.refresh_token",
        load_default=None,
        allow_none=True,
        metadata={"label": "Refresh Token", "description": "An existing one; with `externalAuthentication: initial`."},
    )
    access_token = SecretField(data_key="oauth.user.token", load_default=None, allow_none=True)


@functools.cache
def configuration_schema(element: Element) -> Schema:
    """The schema of an element's instances; `data_key`s are the dotted keys, unknown keys are kept."""
    oauth: list[type[Schema]] = [OAuthConfiguration] if element.oauth else []
    # An element without keys of its own has the bare Schema, which cannot stand before its heirs.
    own = [] if element.config_schema is Schema else [element.config_schema]
    parts: list[type[Schema]] = [*own, *oauth, EventConfiguration]
    joined = type(f"{element.key}Configuration", tuple(parts), {"Meta": type("Meta", (), {"unknown": INCLUDE})})
    schema: Schema = joined()
    return schema


def default_configuration(element: Element) -> dict[str, Any]:
    """The configuration that nobody has filled in yet, for what does not depend on it."""
    schema = configuration_schema(element)
    return {field.data_key or name: default_of(field) for name, field in schema.fields.items()}


def default_of(field: fields.Field[Any]) -> Any:
    """What a key is where nobody gives it; None for one that must be given."""
    value = field.load_default() if callable(field.load_default) else field.load_default
    return None if value is missing else value


def load_configuration(element: Element, raw: Mapping[str, Any]) -> Config:
    """Check and convert an instance's configuration; the answer has every key of the schema, by its dotted name."""
    schema = configuration_schema(element)
    try:
        loaded = schema.load(dict(raw))
    except ValidationError as error:
        raise _configuration_error(element, error) from None
    return {_dotted(schema, name): value for name, value in loaded.items()}


def misspelt(element: Element, raw: Mapping[str, Any]) -> Iterator[str]:
    """What to say of keys that nothing reads and that look like one that is read."""
    known = [_dotted(configuration_schema(element), name) for name in configuration_schema(element).fields]
    yield from _misspelt("configuration", raw, known)
    entries = raw.get(POLLER_CONFIGURATION)
    entries = _parse_json(entries) if isinstance(entries, str) else entries or {}
    keys = [_dotted(_poller_entry_schema(), name) for name in _poller_entry_schema().fields]
    for resource, entry in entries.items():
        yield from _misspelt(f"{POLLER_CONFIGURATION}.{resource}", entry, keys)


def _misspelt(where: str, given: Mapping[str, Any], known: Sequence[str]) -> Iterator[str]:
    for key in given:
        meant = difflib.get_close_matches(key, known, n=1, cutoff=0.85)
        if meant and key not in known:
            yield f"{where}: {key!r} is kept, but nothing reads it; {meant[0]!r} may be meant"


def _messages(error: ValidationError) -> dict[str, Any]:
    found: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow left it out
    return found


def _dotted(schema: Schema, name: str) -> str:
    field = schema.fields.get(name)
    return (field.data_key or name) if field else name


def _configuration_error(element: Element, error: ValidationError) -> ConfigurationError:
    messages = _messages(error)
    missing = sorted(key for key, value in messages.items() if value == ["Missing data for required field."])
    wrong = [
        f"{where}: {text}" for key in messages if key not in missing for where, text in _flatten(key, messages[key])
    ]
    if missing:
        wrong.insert(0, f"missing required configuration: {', '.join(missing)}")
    return ConfigurationError(
        "; ".join(wrong),
        where="configuration",
        hint=hints.element_keys(element.key),
    )


def _flatten(where: str, messages: Any) -> list[tuple[str, str]]:
    if isinstance(messages, Mapping):
        return [pair for key, value in messages.items() for pair in _flatten(_joined(where, key), value)]
    return [(where, " ".join(str(message) for message in messages))]


def _joined(where: str, key: Any) -> str:
    return where if key == "_schema" else f"{where}.{key}" if where else str(key)


def is_secret(element: Element, key: str) -> bool:
    """Whether a configuration value must be encrypted and masked: the schema says so, or its name does."""
    for field in configuration_schema(element).fields.values():
        if field.data_key == key:
            return bool(field.metadata.get("secret"))
    return bool(_SECRET_NAME.search(key)) and not _NOT_SECRET.match(key)


# The body of POST /instances


class ElementReference(Schema):
    class Meta:
        unknown = INCLUDE

    key = fields.String(load_default=None)
    id = fields.Integer(load_default=None)


class InstanceBody(Schema):
    """The JSON body of `POST /instances`."""

    class Meta:
        unknown = INCLUDE

    element = fields.Nested(ElementReference, load_default=dict)
    provider_data = fields.Dict(data_key="providerData", load_default=dict)
    configuration = fields.Dict(keys=fields.String(), load_default=dict)
    tags = fields.List(fields.String(validate=validate.Length(max=255)), load_default=None)
    name = fields.String(load_default=None, validate=validate.Length(max=255))
    external_authentication = fields.String(
        data_key="externalAuthentication", load_default="none", validate=validate.OneOf(["none", "initial"])
    )


def load_instance_body(body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise ConfigurationError("expected a JSON object, the body of POST /instances")
    try:
        loaded: dict[str, Any] = InstanceBody().load(dict(body))
    except ValidationError as error:
        problems = "; ".join(f"{where}: {text}" for where, text in _flatten("", _messages(error)))
        raise ConfigurationError(problems, where="instance") from None
    return loaded


def parse_first_poll(policy: str, now: datetime) -> datetime:
    """The moment from which changes are announced: aware UTC."""
    if policy == "now":
        return now
    if policy == "all":
        return datetime(1970, 1, 2, tzinfo=UTC)
    return parse_moment(policy)


def parse_moment(text: str) -> datetime:
    """An ISO date-time as aware UTC, which it is taken to be without an offset. ValueError beyond 1971 to 2999."""
    moment = isoparse(text)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"{text!r} is not between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
