"""Remembers what is failing, so that the log names each outage only when it begins and when it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class Outages:
    """Several threads may report to it. Both methods return True only the first time.

    >>> outages = Outages()
    >>> outages.begins("store"), outages.begins("store")
    (True, False)
    >>> outages.ends("store"), outages.ends("store")
    (True, False)
    """

    def __init__(self) -> None:
        self._known: set[Hashable] = set()
        self._lock = threading.Lock()

    def begins(self, what: Hashable) -> bool:
        """Note a failure. False means that it was known already."""
        with self._lock:
            is_new = what not in self._known
            self._known.add(what)
            return is_new

    def ends(self, what: Hashable) -> bool:
        """Note a success. False means that no failure was known."""
        with self._lock:
            was_known = what in self._known
            self._known.discard(what)
            return was_known
