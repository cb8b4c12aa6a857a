from __future__ import annotations

import pytest


@pytest.fixture
def snow(tmp_path):
    """A ServiceNow and an engine on one clock that stands still, without sockets; see `world.Snow`."""
    from world import Snow

    with Snow(tmp_path) as opened:
        yield opened
