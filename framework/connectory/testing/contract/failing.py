"""Ends a check with a message that says what was seen and, in its last line, what the author should do."""

from __future__ import annotations

import functools
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAMES = 4


def broken(message: str, cure: str) -> NoReturn:
    """Fail the check. `message` says what is wrong, `cure` what the author of the element should do."""
    pytest.fail(f"{message}\ncure: {cure}", pytrace=False)


def demand(condition: object, message: str, cure: str) -> None:
    """Fail the check unless the condition holds."""
    if not condition:
        broken(message, cure)


def crashed(error: Exception) -> NoReturn:
    """Fail the check because of an exception that it does not expect."""
    where = "".join(traceback.format_tb(error.__traceback__)[-_FRAMES:])
    broken(
        f"{where}{type(error).__name__}: {error}",
        "correct the hook, the sandbox, or the method of the test class that the traceback shows",
    )


def explained(check: Callable[..., None]) -> Callable[..., None]:
    """The same check, but an unexpected exception also ends with a cure."""

    @functools.wraps(check)
    def run(*arguments: Any, **more: Any) -> None:
        try:
            check(*arguments, **more)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            crashed(error)

    return run
