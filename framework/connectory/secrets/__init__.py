"""Secrets: a type that does not print, encryption at rest, and redaction of the text that leaves the process.

1. `secret` is the type; `keyring` encrypts and decrypts, with the keys of `keyfile` or of the environment.
2. `names` is the list of names that tell of a secret; `redaction` blanks out secrets in text, by name and by value.
3. `logs` puts the redactor before everything that is logged.
"""

from .keyfile import KEYS_FILE, KEYS_VARIABLE
from .keyring import KeyRing
from .logs import RedactingFilter, install_redaction, is_oauth_chatter
from .names import holds_telling_name, tells_a_secret
from .redaction import Redactor, redactor
from .secret import MASK, Secret, reveal

__all__ = [
    "KEYS_FILE",
    "KEYS_VARIABLE",
    "MASK",
    "KeyRing",
    "RedactingFilter",
    "Redactor",
    "Secret",
    "holds_telling_name",
    "install_redaction",
    "is_oauth_chatter",
    "redactor",
    "reveal",
    "tells_a_secret",
]
