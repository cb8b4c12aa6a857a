"""What marshmallow found wrong, as text for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marshmallow import ValidationError

_MISSING = ["Missing data for required field."]


def messages_of(error: ValidationError) -> dict[str, Any]:
    """The messages by the key that they are about, nested as the data is."""
    found: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow has no types
    return found


def describe_problems(error: ValidationError) -> str:
    """One text with all problems: first the keys that are missing, then what is wrong with the others."""
    messages = messages_of(error)
    missing = sorted(key for key, value in messages.items() if value == _MISSING)
    texts = [f"missing required configuration: {', '.join(missing)}"] if missing else []
    others = {key: value for key, value in messages.items() if key not in missing}
    return "; ".join([*texts, *described("", others)])


def described(where: str, messages: Any) -> Iterator[str]:
    """Each message, after the dotted name of the key that it is about."""
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            yield from described(_joined(where, key), value)
    else:
        text = " ".join(str(message) for message in messages)
        yield f"{where}: {text}" if where else text


def _joined(where: str, key: Any) -> str:
    if key == "_schema":  # marshmallow's name for the object itself
        return where
    return f"{where}.{key}" if where else str(key)
