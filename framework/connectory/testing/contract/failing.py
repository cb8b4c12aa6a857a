"""How a check fails: it says what was seen, and in its last line what the author should do."""

from __future__ import annotations

from typing import NoReturn

import pytest


def broken(message: str, cure: str) -> NoReturn:
    """End the check: `message` is what is wrong, `cure` what the element's author should do about it."""
    pytest.fail(f"{message}\ncure: {cure}", pytrace=False)


def demand(condition: object, message: str, cure: str) -> None:
    """End the check unless the condition holds."""
    if not condition:
        broken(message, cure)
