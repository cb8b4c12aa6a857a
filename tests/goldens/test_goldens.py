"""What Connectory says and sends is what it said and sent; the package says how, and how the goldens are written."""

from __future__ import annotations

import pytest

from .book import difference
from .scenarios import SCENARIOS, play


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_everything_said_and_sent_is_as_stored(scenario):
    found = difference(scenario, play(scenario))
    assert not found, f"if this is meant, run `python -m tests.goldens {scenario}`:\n{found}"
