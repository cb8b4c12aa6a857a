"""Blanks out secrets in text."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from .names import TELLING_NAMES
from .secret import MASK, Secret, reveal

if TYPE_CHECKING:
    from collections.abc import Iterator


# Blanking out shorter values would blank out ordinary words too.
_LEAST_REDACTED = 6

_NAMED = re.compile(
    rf"""(?ixs)
    (?P<name>
      (?<! [\w.-] ) {TELLING_NAMES}
      (?: \\? ["'] )? \s* (?: = | : | %3D | , \s* (?= b? ["'] ) ) \s*
    )
    (?: b? (?P<quote> \\? ["'] ) .*? (?: (?<! \\ ) (?P=quote) | $ ) | [^\s&,;"'<>(){{}}\[\]\\]+ )
    """
)

_AUTHORIZATION = re.compile(
    r"""(?ix) ( \b (?: proxy- )? authorization \\? ["']? \s* [:=,] \s* (?: b (?= ["'] ) )? \\? ["']? ) [^"'\r\n\\]+ """
)

_SCHEME = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}")
_CODE = re.compile(r"(?i)([?&]code=)[^&\s\"'<>]+")
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@")


class Redactor:
    """Blanks out secrets in text: the values that it has learnt, and every value behind a telling name.

    It finds values by their first characters, so that the cost of a log line does not grow with their number. It
    forgets the oldest ones, because a token that was renewed long ago opens nothing.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._learnt: dict[str, None] = {}
        # First characters -> lengths, longest first -> the values.
        self._index: dict[str, dict[int, set[str]]] = {}

    def learn(self, *values: Secret | str | None) -> None:
        for value in values:
            for form in _forms(reveal(value)):
                if form not in self._learnt:
                    with self._lock:
                        self._add(form)

    def scrub(self, text: str) -> str:
        text = self._scrub_values(text)
        text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
        text = _SCHEME.sub(rf"\1\2{MASK}", text)
        text = _CODE.sub(rf"\1{MASK}", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
        # Scrub the values again, because the steps above may have joined two parts of the text into a value.
        return self._scrub_values(_NAMED.sub(_mask, text))

    def _add(self, value: str) -> None:
        self._learnt[value] = None
        start, length = value[:_LEAST_REDACTED], len(value)
        lengths = self._index.get(start, {})
        if length not in lengths:
            # Replace the dictionary, because another thread may be iterating over the old one.
            self._index[start] = lengths = dict(sorted({**lengths, length: set()}.items(), reverse=True))
        lengths[length].add(value)
        if len(self._learnt) > self._most:
            self._forget(next(iter(self._learnt)))

    def _forget(self, value: str) -> None:
        del self._learnt[value]
        start = value[:_LEAST_REDACTED]
        self._index[start][len(value)].discard(value)
        if not any(self._index[start].values()):
            del self._index[start]

    def _scrub_values(self, text: str) -> str:
        # Repeat: the mask and the text around it may form another value. Each round leaves fewer characters to replace.
        while (scrubbed := self._scrub_once(text)) != text:
            text = scrubbed
        return text

    def _scrub_once(self, text: str) -> str:
        index, done, position = self._index, 0, 0
        parts: list[str] = []
        last = len(text) - _LEAST_REDACTED
        while position <= last:
            lengths = index.get(text[position : position + _LEAST_REDACTED])
            length = lengths and next((n for n, known in lengths.items() if text[position : position + n] in known), 0)
            if not length:
                position += 1
                continue
            parts += text[done:position], MASK
            done = position = position + length
        return "".join((*parts, text[done:])) if parts else text


def _forms(value: str) -> Iterator[str]:
    """The ways in which a value is written in text: plain, in a URL, in a form, in JSON, in a repr."""
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    with contextlib.suppress(UnicodeEncodeError):
        forms |= {quote(value), quote(value, safe=""), quote_plus(value)}
    return (form for form in forms if len(form) >= _LEAST_REDACTED and form.strip(MASK[0]))


def _mask(match: re.Match[str]) -> str:
    quote = match["quote"] or ""
    return f"{match['name']}{quote}{MASK}{quote}"


redactor = Redactor()
"""The redactor of the process: it learns every token that passes through."""
