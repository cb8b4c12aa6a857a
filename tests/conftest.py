from __future__ import annotations

import os

import pytest
from hypothesis import settings

# What decides whether a change lands must decide the same twice; elsewhere each run tries other examples.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture
def snow(tmp_path):
    """A ServiceNow and an engine on one clock that stands still, without sockets; see `world.Snow`."""
    from world import Snow

    with Snow(tmp_path) as opened:
        yield opened
