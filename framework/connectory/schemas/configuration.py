"""The keys that the framework adds to the configuration of every element, with their defaults."""

from __future__ import annotations

from datetime import timedelta

from marshmallow import INCLUDE, Schema, fields, validate

from .entries import PollerConfiguration
from .fields import CallbackURL, FirstPoll, Minutes, SecretField, config_field
from .keys import (
    CALLBACK_URL,
    FIRST_POLL,
    IDLE_BACKOFF,
    NOTIFICATIONS_ENABLED,
    OAUTH_CALLBACK_URL,
    POLLER_CONFIGURATION,
    REFRESH_INTERVAL,
    SIGNATURE_KEY,
)


class EventConfiguration(Schema):
    """The `event.*` keys of every element."""

    class Meta:
        unknown = INCLUDE

    enabled = config_field(
        fields.Boolean,
        NOTIFICATIONS_ENABLED,
        "Events Enabled",
        "Poll for changes and announce them.",
        load_default=False,
    )
    callback_url = config_field(
        CallbackURL, CALLBACK_URL, "Event Notification Callback URL", "Where notifications are sent."
    )
    signature_key = config_field(
        SecretField,
        SIGNATURE_KEY,
        "Callback Notification Signature Key",
        "The key that signs the notifications; without a key they are not signed.",
    )
    vendor_type = config_field(
        fields.String,
        "event.vendor.type",
        "Event Source",
        "How changes are found: `polling`.",
        load_default="polling",
        validate=validate.OneOf(["polling"], error="{input!r} is not supported: events come from `polling`"),
    )
    refresh_interval = config_field(
        Minutes,
        REFRESH_INTERVAL,
        "Event poller refresh interval (mins)",
        "Minutes between two polls.",
        load_default=timedelta(minutes=15),
    )
    idle_backoff = config_field(
        Minutes,
        IDLE_BACKOFF,
        "Longest idle interval (mins)",
        "While polls find nothing, the interval grows, up to this many minutes. If empty, it does not grow.",
    )
    poller_configuration = config_field(
        PollerConfiguration,
        POLLER_CONFIGURATION,
        "Configure Polling",
        "What to poll and how: JSON with an entry per resource.",
    )
    first_poll = config_field(
        FirstPoll,
        FIRST_POLL,
        "First Poll",
        "What the first poll announces: changes from `now` on, `all`, or since a date.",
        load_default="now",
    )


class OAuthConfiguration(Schema):
    """The `oauth.*` keys of elements that use OAuth2."""

    class Meta:
        unknown = INCLUDE

    api_key = config_field(
        fields.String,
        "oauth.api.key",
        "API Key",
        "The client id that the provider gave your application.",
        required=True,
        validate=validate.Length(min=1),
    )
    api_secret = config_field(
        SecretField,
        "oauth.api.secret",
        "API Secret",
        "The client secret that belongs to the client id.",
        required=True,
    )
    oauth_callback_url = config_field(
        CallbackURL,
        OAUTH_CALLBACK_URL,
        "Callback URL",
        "The provider sends the user's browser here after the consent.",
    )
    scope = config_field(
        fields.String, "oauth.scope", "Scope", "The scope to ask for; if empty, the provider's default."
    )
    refresh_token = config_field(
        SecretField,
        "oauth.user.refresh_token",
        "Refresh Token",
        "A refresh token that you already have; use it with `externalAuthentication: initial`.",
    )
    access_token = SecretField(data_key="oauth.user.token", load_default=None, allow_none=True)
