"""The keys of an instance's configuration that the framework itself reads."""

from __future__ import annotations

POLLER_CONFIGURATION = "event.poller.configuration"
REFRESH_INTERVAL = "event.poller.refresh_interval"
IDLE_BACKOFF = "event.poller.idle_backoff"
FIRST_POLL = "event.poller.first_poll"
NOTIFICATIONS_ENABLED = "event.notification.enabled"
CALLBACK_URL = "event.notification.callback.url"
SIGNATURE_KEY = "event.notification.signature.key"
OAUTH_CALLBACK_URL = "oauth.callback.url"
