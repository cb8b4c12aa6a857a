"""Finds the handler of a path.

This is not werkzeug's router, because compiling its rules takes longer than everything else in a new sandbox.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = re.compile(r"<([a-zA-Z_]\w*)>")


class Routes:
    """Handlers by path and method. A part in brackets matches anything but a slash; other paths are tried first.

    >>> routes = Routes()
    >>> routes.add("/orders/<order_id>", "read", ("GET",))
    >>> routes.match("/orders/7", "GET")
    ('read', {'order_id': '7'})
    """

    def __init__(self) -> None:
        self._plain: dict[str, dict[str, Any]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Any]]] = {}

    def add(self, path: str, handler: Any, methods: tuple[str, ...]) -> None:
        """A later handler replaces an earlier one of the same path and method."""
        path = path.rstrip("/") or "/"
        if "<" in path:
            handlers = self._patterns.setdefault(path, (_pattern(path), {}))[1]
        else:
            handlers = self._plain.setdefault(path, {})
        handlers |= dict.fromkeys(methods, handler)

    def match(self, path: str, method: str) -> tuple[Any, dict[str, str]]:
        """The handler, and the values of the parts in brackets. Raises werkzeug's `NotFound` or `MethodNotAllowed`."""
        allowed: set[str] = set()
        for handlers, values in self._found(path.rstrip("/") or "/"):
            # HEAD is answered as GET; the server leaves out the body.
            handler = handlers.get(method) or (handlers.get("GET") if method == "HEAD" else None)
            if handler is not None:
                return handler, values
            allowed |= handlers.keys()
        raise MethodNotAllowed(sorted(allowed)) if allowed else NotFound()

    def _found(self, path: str) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        if path in self._plain:
            yield self._plain[path], {}
        for pattern, handlers in self._patterns.values():
            if match := pattern.fullmatch(path):
                yield handlers, match.groupdict()


def _pattern(path: str) -> re.Pattern[str]:
    texts = _PART.split(path)
    return re.compile("".join(f"(?P<{text}>[^/]+)" if at % 2 else re.escape(text) for at, text in enumerate(texts)))
