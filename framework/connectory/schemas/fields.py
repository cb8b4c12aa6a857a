"""The kinds of values that a configuration key can have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from marshmallow import Schema, ValidationError, fields

from ..secrets import Secret
from .moments import parse_first_poll

_Field = TypeVar("_Field", bound=fields.Field[Any])


def config_field(kind: type[_Field], key: str, label: str, description: str, **options: Any) -> _Field:
    """The field of one configuration key, with the label and the description that people are shown.

    The key may be left out or null, which gives None, unless `options` contain `required` or a `load_default`.

    >>> colour = config_field(fields.String, "acme.colour", "Colour", "The colour of the orders to poll.")
    >>> colour.data_key, colour.metadata["label"], colour.required, colour.load_default
    ('acme.colour', 'Colour', False, None)
    >>> config_field(SecretField, "acme.key", "Key", "Your key.", required=True).metadata["secret"]
    True
    """
    if not options.get("required") and "load_default" not in options:
        options |= {"load_default": None, "allow_none": True}
    return kind(data_key=key, metadata={"label": label, "description": description}, **options)


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
    """A number of seconds, as a number or as text; fractions are allowed."""

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
        raise ValidationError(f"{value!r} {unit} is too short: the minimum is {least.total_seconds():g} seconds")
    return duration


class CallbackURL(fields.Field[str]):
    """An absolute http or https URL without a user name, a password or a fragment."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("expected a URL such as https://example.com/events")
        url = value.strip()
        parts = _split(url)
        if parts is None:
            raise ValidationError(f"{value!r} is not a URL that can be called, such as https://example.com/events")
        if parts.username or parts.password:
            raise ValidationError("leave the user name and the password out of the URL: URLs are written to logs")
        return url


_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f]")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL that can be called; None if it cannot."""
    if _NOT_IN_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        is_callable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_callable and not parts.fragment else None


class FirstPoll(fields.Field[str]):
    """`now`, `all`, or an ISO date-time."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        text = str(value).strip()
        try:
            parse_first_poll(text, datetime.now(UTC))
        except ValueError:
            raise ValidationError(
                f"{text!r} is neither `now`, nor `all`, nor a date such as 2026-01-31T00:00:00Z"
            ) from None
        return text


class Switch(fields.Field[Any]):
    """False, true, or an object with options, which means true."""

    def __init__(self, options: type[Schema], **more: Any) -> None:
        super().__init__(allow_none=True, **more)
        self._options = options

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        if isinstance(value, Mapping):
            return self._options().load(value)
        if str(value).lower() not in {"true", "false"}:
            raise ValidationError(f"{value!r} is neither true, nor false, nor an object with options")
        return self._options().load({}) if str(value).lower() == "true" else None
