"""The records of a page as the provider wrote them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import msgspec


class RawRecords(Sequence[msgspec.Raw]):
    """Decodes the records when the first of them is needed, and at most once: a page without news never needs them."""

    __slots__ = ("_body", "_decode", "_decoded")

    def __init__(self, decode: Callable[[bytes], list[msgspec.Raw]], body: bytes) -> None:
        self._decode = decode
        self._body = body
        self._decoded: list[msgspec.Raw] | None = None

    @overload
    def __getitem__(self, index: int) -> msgspec.Raw: ...
    @overload
    def __getitem__(self, index: slice) -> list[msgspec.Raw]: ...
    def __getitem__(self, index: int | slice) -> msgspec.Raw | list[msgspec.Raw]:
        return self._records()[index]

    def __len__(self) -> int:
        return len(self._records())

    def _records(self) -> list[msgspec.Raw]:
        if self._decoded is None:
            self._decoded = self._decode(self._body)
        return self._decoded
