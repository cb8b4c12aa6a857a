"""How a check fails: it says what was seen, and in its last line what the author should do."""

from __future__ import annotations

import functools
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAMES = 4


def broken(message: str, cure: str) -> NoReturn:
    """End the check: `message` is what is wrong, `cure` what the element's author should do about it."""
    pytest.fail(f"{message}\ncure: {cure}", pytrace=False)


def demand(condition: object, message: str, cure: str) -> None:
    """End the check unless the condition holds."""
    if not condition:
        broken(message, cure)


def crashed(error: Exception) -> NoReturn:
    """End the check because of an error that none of its own words are for."""
    where = "".join(traceback.format_tb(error.__traceback__)[-_FRAMES:])
    broken(
        f"{where}{type(error).__name__}: {error}",
        "this is a mistake in a hook of the plugin, in its sandbox, or in a method that the test class overrides",
    )


def explained(check: Callable[..., None]) -> Callable[..., None]:
    """The same check, whose failures always say what to do."""

    @functools.wraps(check)
    def run(*arguments: Any, **more: Any) -> None:
        try:
            check(*arguments, **more)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            crashed(error)

    return run
