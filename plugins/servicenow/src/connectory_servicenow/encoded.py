"""Checks encoded queries that a person wrote, before they are joined with other conditions.

`^` joins conditions, `^OR` binds to the condition just before it, and `^NQ` starts another query. Text that would
change the meaning of the conditions around it is refused.
"""

from __future__ import annotations

import re

from connectory.errors import ConfigurationError

from .users import PASSWORD

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAKE_OVER = {
    "NQ": "^NQ starts a second query, to which the window of the poll would not apply; use ^OR conditions",
    "ORDERBY": "the connector needs its own order for paging; leave out ORDERBY",
    "GROUPBY": "a list of records has no groups; leave out GROUPBY",
    "JOIN": "a JOIN has no end mark, so the conditions after it would become part of it; use RLQUERY",
}


def checked(text: str, where: str) -> str:
    """The query in a form that can be joined with other conditions; "" if it is blank."""
    if found := _CONTROL.search(text.strip()):
        raise ConfigurationError(f"{found[0]!r} cannot be part of an encoded query", where=where)
    parts = [part for part in text.strip().split("^") if part not in ("", "EQ")]
    for number, part in enumerate(parts):
        _check_part(part, where, first=number == 0)
    if parts.count("ENDRLQUERY") != sum(part.startswith("RLQUERY") for part in parts):
        raise ConfigurationError("an RLQUERY must end with ^ENDRLQUERY", where=where)
    return "^".join(parts)


def _check_part(part: str, where: str, *, first: bool) -> None:
    for word, reason in _TAKE_OVER.items():
        if part.startswith(word):
            raise ConfigurationError(reason, where=where)
    if first and part.startswith("OR"):
        raise ConfigurationError("it starts with OR, which would join it to another condition", where=where)
    if PASSWORD in part:
        # A filter that is tried letter by letter would reveal the password, although no field shows it.
        raise ConfigurationError(f"{PASSWORD} must not be used in a condition", where=where)
