"""The one list of names that tell of a secret, such as `client_secret` and `X-Api-Key`."""

from __future__ import annotations

import functools
import re

TELLING_NAMES = r"""
    (?: [\w.-]* (?: token | secret | passw(?:or)?d )
      | [\w.-]* (?: api | access | private | subscription | signature ) [._-]? key
      | code_verifier
      | (?: client_ )? assertion
      | (?: set- )? cookie )
"""
"""What stands before a secret in text, as a pattern for `re.VERBOSE` and `re.IGNORECASE`."""

_ANYWHERE = re.compile(TELLING_NAMES, re.VERBOSE | re.IGNORECASE)
_AT_THE_END = re.compile(
    rf"(?: (?<! [\w.-] ) {TELLING_NAMES} | \b (?: proxy- )? authorization ) \s* \Z", re.VERBOSE | re.IGNORECASE
)


@functools.lru_cache(maxsize=4096)
def tells_a_secret(name: str) -> bool:
    """Whether a value of this name is a secret: a field of a record, a parameter, a header.

    >>> [tells_a_secret(name) for name in ("client_secret", "X-Api-Key", "Authorization", "secretary", "token_type")]
    [True, True, True, False, False]
    """
    return _AT_THE_END.search(name) is not None


def holds_telling_name(key: str) -> bool:
    """Whether a telling name is any part of a configuration key: to encrypt too much is better than too little.

    >>> [holds_telling_name(key) for key in ("acme.secret.value", "acme.password2", "acme.url")]
    [True, True, False]
    """
    return _ANYWHERE.search(key) is not None
