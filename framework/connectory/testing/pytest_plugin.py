"""Fixtures for the tests of elements. pytest finds them by itself, in every environment that has Connectory.

| fixture | |
|---|---|
| `connectory_clock` | a `ManualClock` that all the others share |
| `connectory_sandbox` | a `SandboxRunner`: sandboxes in this process, or on a real port |
| `connectory_engine` | opens applications (`connectory.App`) on temporary stores, which reach those sandboxes |
| `connectory_receiver` | an `Inbox`: a receiver of notifications that verifies them |
| `connectory_recorder` | a `Recorder`: polls are recorded, and replayed without the provider |

    def test_new_orders_are_announced(connectory_engine, connectory_sandbox, connectory_receiver):
        app = connectory_engine(my_plugin)
        address = connectory_sandbox.inside(app.elements.open_sandbox("demo"))
        ...

This module is loaded at the start of every run of pytest, so nothing else is imported before a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .clock import ManualClock
    from .fixtures import AppMaker, Inbox, Recorder, SandboxRunner


@pytest.fixture
def connectory_clock() -> ManualClock:
    """A clock that stands still until a test moves it; `advance` takes seconds or a timedelta.

    It begins now: what a sandbox is filled with was there before.
    """
    from datetime import UTC, datetime

    from .clock import ManualClock

    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def connectory_sandbox(connectory_clock: ManualClock) -> Iterator[SandboxRunner]:
    """Runs sandboxes: `inside(app)` without a socket, `serve(app)` on a port; both return the base URL."""
    from .fixtures import SandboxRunner

    with SandboxRunner(connectory_clock) as runner:
        yield runner


@pytest.fixture
def connectory_engine(
    tmp_path: Path, connectory_clock: ManualClock, connectory_sandbox: SandboxRunner
) -> Iterator[AppMaker]:
    """Called with plugins (modules or objects with hookimpls), opens an application on a store of its own."""
    from .fixtures import AppMaker

    with AppMaker(tmp_path, connectory_clock, connectory_sandbox) as maker:
        yield maker


@pytest.fixture
def connectory_receiver(connectory_clock: ManualClock) -> Iterator[Inbox]:
    """Receives notifications at `url`, signed with `key`; what is not signed fails the test at its end."""
    from .fixtures import Inbox

    with Inbox(connectory_clock) as inbox:
        yield inbox
    inbox.check()


@pytest.fixture
def connectory_recorder() -> Recorder:
    """`record(app, path)` polls and records; `replay(path, plugin)` fails on unread and unrecorded pages."""
    from .fixtures import Recorder

    return Recorder()
