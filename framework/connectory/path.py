"""JSON paths: the one way to name a place in a record or in the body of an answer.

| written | meaning |
|---|---|
| `sys_id` | the field `sys_id` |
| `user.id` | the field `id` inside the field `user` |
| `['Modified Time']` | a field whose name holds spaces, dots or brackets; double quotes work as well |
| `items[0].id`, `items.0.id` | the first element of a list; a number also names a field that is called so |
| `$.user.id`, `$['user'].id`, `$` | the same with the root written out; `$` alone is the whole value |

A `$` is the root only in front of a dot or a bracket, or alone: `$items` is the field `$items`. Inside quotes, a
backslash goes before a quote or a backslash that belongs to the name.

>>> Path.parse("$['meta'].next") == Path.parse("meta.next")
True
>>> Path.parse("users[1]['Full Name']").find({"users": [{}, {"Full Name": "Ann"}]})
'Ann'
>>> Path.parse("meta.next").find_in(b'{"meta": {"next": "abc"}, "items": []}')
'abc'
>>> Path.parse("a[").find({})
Traceback (most recent call last):
connectory.errors.ConfigurationError: 'a[' is not a JSON path (write e.g. user.id, items[0].id or ['Modified Time'])
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from .errors import ConfigurationError

_QUOTED = r"""\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([0-9]{1,9}))\s*\]"""
_NAME = r"([^.\[\]]+)"
_FIRST = re.compile(rf"{_QUOTED}|{_NAME}", re.DOTALL)
_NEXT = re.compile(rf"\.?{_QUOTED}|\.{_NAME}", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = re.compile(r"[^\W\d][\w-]*", re.ASCII)

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Path:
    """A place in JSON, as the steps that lead to it. `str(path)` writes it so that `parse` reads it back."""

    steps: tuple[str, ...] = ()

    @staticmethod
    def parse(text: str) -> Path:
        """Read a path in the dialect above; a `ConfigurationError` names what cannot be read."""
        return _parse(text)

    @property
    def head(self) -> str:
        """The first step: the top-level field of a record."""
        return self.steps[0]

    @property
    def rest(self) -> Path:
        """The way on from the first step."""
        return Path(self.steps[1:])

    def find(self, value: Any) -> Any:
        """The value at this place of decoded JSON; None if there is no such place."""
        for step in self.steps:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and is_index(step) and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value

    def find_in(self, body: bytes) -> Any:
        """The value at this place of a JSON text; None if there is none, or if the text is not JSON.

        Only the way to the place is decoded, so this is cheap on large bodies.
        """
        raw: bytes | msgspec.Raw = body
        try:
            for step in self.steps:
                value = _child(raw, step)
                if value is None:
                    return None
                raw = value
            return msgspec.json.decode(raw)
        except msgspec.DecodeError:
            return None

    def put(self, value: Any) -> Any:
        """The smallest JSON value that holds `value` at this place.

        >>> Path.parse("user.id").put(7)
        {'user': {'id': 7}}
        """
        for step in reversed(self.steps):
            value = {step: value}
        return value

    def __str__(self) -> str:
        text = "".join(_written(step) for step in self.steps)
        return text.removeprefix(".") or "$"


@lru_cache(maxsize=1024)
def _parse(text: str) -> Path:
    rest = text.strip()
    if rest == "$" or rest.startswith(("$.", "$[")):
        rest = rest[1:]
        pattern = _NEXT
    else:
        pattern = _FIRST
    steps: list[str] = []
    position = 0
    while position < len(rest):
        match = pattern.match(rest, position)
        if match is None:
            raise ConfigurationError(
                f"{text!r} is not a JSON path", hint="write e.g. user.id, items[0].id or ['Modified Time']"
            )
        steps.append(_step(match))
        position, pattern = match.end(), _NEXT
    return Path(tuple(steps))


def _step(match: re.Match[str]) -> str:
    single, double, number, name = match.groups()
    quoted = single if single is not None else double
    if quoted is not None:
        return _ESCAPE.sub(r"\1", quoted)
    return str(int(number)) if number is not None else str(name)


def _written(step: str) -> str:
    if _PLAIN.fullmatch(step):
        return f".{step}"
    if is_index(step):
        return f"[{step}]"
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def is_index(step: str) -> bool:
    """Whether a step can be the position in a list: a number in its shortest form."""
    return step == "0" or (step.isascii() and step.isdigit() and step[0] != "0" and len(step) < 10)


def _child(raw: bytes | msgspec.Raw, step: str) -> msgspec.Raw | None:
    start = bytes(memoryview(raw)[:64]).lstrip()[:1]
    if start == b"{":
        return _OBJECT.decode(raw).get(step)
    if start == b"[" and is_index(step):
        items = _ARRAY.decode(raw)
        return items[int(step)] if int(step) < len(items) else None
    return None
