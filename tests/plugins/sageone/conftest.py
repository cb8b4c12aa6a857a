from __future__ import annotations

import pytest

from books import NOON, Books, Caller
from connectory.testing.clock import ManualClock
from connectory_sageone.sandbox import SageSwitches, create_sandbox


@pytest.fixture
def books(tmp_path):
    with Books(tmp_path) as opened:
        yield opened


@pytest.fixture
def old_books(tmp_path):
    """The same with API v3."""
    with Books(tmp_path, switches=SageSwitches(api="v3", country="us", needs_signature=True)) as opened:
        yield opened


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def sandbox(clock):
    return create_sandbox(clock=clock, contacts=45, products=3, invoices=3)


@pytest.fixture
def caller(sandbox, clock):
    return Caller(sandbox, clock)
