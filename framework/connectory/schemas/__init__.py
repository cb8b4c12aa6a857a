"""What goes in and out as JSON: an instance's configuration, its poller entries, and the body of `POST /instances`.

An instance's configuration has flat dotted keys. The schema of one element joins three parts: the `event.*` keys that
every element has, the `oauth.*` keys of elements that use OAuth2, and the element's own keys. The keys and the body are
those of Cloud Elements, the integration platform whose API Connectory implements.

1. `keys` names the keys that the framework reads.
2. `fields` are the kinds of values, with `config_field` for one key with its label; `moments` reads dates.
3. `entries` is a poller entry, `configuration` the framework's own keys, `instancebody` the body of `POST /instances`.
4. `loading` joins the schema of an element, loads a configuration with it, and finds misspelt keys; `problems` turns
   what marshmallow finds into one message.
"""

from .configuration import EventConfiguration, OAuthConfiguration
from .entries import PollerConfiguration, PollerEntrySchema
from .fields import CallbackURL, Minutes, Seconds, SecretField, config_field
from .instancebody import InstanceBody, load_instance_body
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
from .loading import (
    configuration_schema,
    default_configuration,
    default_of,
    is_secret,
    load_configuration,
    misspelt,
)
from .moments import MOMENT_RANGE, parse_first_poll, parse_moment

__all__ = [
    "CALLBACK_URL",
    "FIRST_POLL",
    "IDLE_BACKOFF",
    "MOMENT_RANGE",
    "NOTIFICATIONS_ENABLED",
    "OAUTH_CALLBACK_URL",
    "POLLER_CONFIGURATION",
    "REFRESH_INTERVAL",
    "SIGNATURE_KEY",
    "CallbackURL",
    "EventConfiguration",
    "InstanceBody",
    "Minutes",
    "OAuthConfiguration",
    "PollerConfiguration",
    "PollerEntrySchema",
    "Seconds",
    "SecretField",
    "config_field",
    "configuration_schema",
    "default_configuration",
    "default_of",
    "is_secret",
    "load_configuration",
    "load_instance_body",
    "misspelt",
    "parse_first_poll",
    "parse_moment",
]
