"""Text that does not print itself."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from typing import Self


MASK = "********"


class Secret:
    """Text that shows itself only through `reveal()`; it prints as asterisks and compares in constant time.

    >>> key = Secret("s3cr3t")
    >>> f"{key}", key, key.reveal(), key == Secret("s3cr3t"), bool(Secret(""))
    ('********', Secret('********'), 's3cr3t', True, False)
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(encoded(self._value), encoded(other._value))

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: its text would be readable in the pickle")


def reveal(value: Secret | str | None) -> str:
    """The text of a secret or of a plain value; `""` for None."""
    return value.reveal() if isinstance(value, Secret) else value or ""


def encoded(text: str) -> bytes:
    # Text from JSON may contain half a surrogate pair, which plain UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")
