"""Fixtures for the tests of elements. pytest finds them in every environment where Connectory is installed.

| fixture | |
|---|---|
| `connectory_clock` | a `ManualClock` that all the other fixtures use |
| `connectory_sandbox` | a `SandboxRunner`: sandboxes in this process, or on a real port |
| `connectory_engine` | opens applications (`connectory.App`) on temporary stores; they reach those sandboxes |
| `connectory_receiver` | an `Inbox`: a receiver of notifications that verifies them |
| `connectory_recorder` | a `Recorder`: records polls, and replays them without the provider |

    def test_new_orders_are_announced(connectory_engine, connectory_sandbox, connectory_receiver):
        app = connectory_engine(my_plugin)
        address = connectory_sandbox.inside(app.elements.open_sandbox("demo"))
        ...

Every run of pytest loads this module, so other modules are imported only when a fixture is used.
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

    It starts at the present, so the first records of a sandbox are older.
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
    """A function: called with plugins (modules or objects with hookimpls), it opens an application on a new store."""
    from .fixtures import AppMaker

    with AppMaker(tmp_path, connectory_clock, connectory_sandbox) as maker:
        yield maker


@pytest.fixture
def connectory_receiver(connectory_clock: ManualClock) -> Iterator[Inbox]:
    """Receives notifications at `url`, signed with `key`. A wrong signature fails the test when it ends."""
    from .fixtures import Inbox

    with Inbox(connectory_clock) as inbox:
        yield inbox
    inbox.check()


@pytest.fixture
def connectory_recorder() -> Recorder:
    """`record(app, path)` polls and records; `replay(path, plugin)` fails if a page is not read or not recorded."""
    from .fixtures import Recorder

    return Recorder()
