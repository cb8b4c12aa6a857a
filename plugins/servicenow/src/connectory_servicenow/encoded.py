"""Encoded queries that a person wrote: what may be joined with conditions of our own.

`^` joins conditions, `^OR` binds to the one just before it, `^NQ` begins another whole query. Whatever would make
the conditions around it mean something else is refused.
"""

from __future__ import annotations

import re

from connectory.errors import ConfigurationError

from .users import PASSWORD

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAKE_OVER = {
    "NQ": "^NQ begins a second query, which the poll's window would not hold for; write it as ^OR conditions",
    "ORDERBY": "the order is the connector's, which pages by it; leave ORDERBY out",
    "GROUPBY": "a list of records has no groups; leave GROUPBY out",
    "JOIN": "nothing marks the end of a JOIN, so the conditions behind it would become part of it; use RLQUERY",
}


def checked(text: str, where: str) -> str:
    """The query as it can stand between other conditions; "" for a blank one."""
    if found := _CONTROL.search(text.strip()):
        raise ConfigurationError(f"{found[0]!r} cannot be part of an encoded query", where=where)
    parts = [part for part in text.strip().split("^") if part not in ("", "EQ")]
    for number, part in enumerate(parts):
        _check_part(part, where, first=number == 0)
    if parts.count("ENDRLQUERY") != sum(part.startswith("RLQUERY") for part in parts):
        raise ConfigurationError("an RLQUERY has to end with ^ENDRLQUERY", where=where)
    return "^".join(parts)


def _check_part(part: str, where: str, *, first: bool) -> None:
    for word, reason in _TAKE_OVER.items():
        if part.startswith(word):
            raise ConfigurationError(reason, where=where)
    if first and part.startswith("OR"):
        raise ConfigurationError("it begins with OR, which would join it to another condition", where=where)
    if PASSWORD in part:
        # Asked letter by letter, a filter gives away what the fields do not show.
        raise ConfigurationError(f"{PASSWORD} cannot be asked for", where=where)
