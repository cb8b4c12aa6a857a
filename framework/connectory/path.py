"""Reads one place in a JSON body and decodes nothing beside the way to it.

>>> find(b'{"meta": {"next": "abc"}, "items": []}', "meta.next")
'abc'
>>> find(b'[{"$message": "no"}]', "0.$message")
'no'
>>> find(b'{"a.b": 1}', "['a.b']")
1
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

_STEP = re.compile(r"""\.?(?:\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]|([^.\[\]]+))""")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


@lru_cache(maxsize=256)
def steps(path: str) -> tuple[str, ...]:
    """The keys on the way: `meta.next`, `0.message`, `$.a` and `['a key']` are understood. ValueError for others."""
    found: list[str] = []
    rest = path.removeprefix("$.").strip()
    position = 0
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise ValueError(f"{path!r} is no path to a field: write e.g. meta.next or ['next page']")
        found.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    return tuple(found)


def find(body: bytes, path: str) -> Any:
    """The value at a path, decoded; None where there is nothing, or where the body is no JSON."""
    raw: bytes | msgspec.Raw = body
    try:
        for step in steps(path):
            value = _child(raw, step)
            if value is None:
                return None
            raw = value
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None


def _child(raw: bytes | msgspec.Raw, step: str) -> msgspec.Raw | None:
    start = bytes(memoryview(raw)[:64]).lstrip()[:1]
    if start == b"{":
        return _OBJECT.decode(raw).get(step)
    if start == b"[" and step.isdigit():
        items = _ARRAY.decode(raw)
        return items[int(step)] if int(step) < len(items) else None
    return None
