from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import settings

from connectory.secrets import redactor

ROOT = Path(__file__).parents[1]

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


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """Commands let secrets be taken out of all that their process logs, which here is that of the tests."""
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    yield
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook = hook, thread_hook


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests():
    """A process blanks out every secret it has met, and what one test makes a secret is another one's plain word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redactor, "_learnt", {})
        patch.setattr(redactor, "_index", {})
        yield


@pytest.fixture
def small_heap():
    """For tests that kill processes, and collect what these held: what is there already need not be looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def framework_wheel(tmp_path_factory):
    """The framework as it is published: a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    return next(folder.glob("connectory-*.whl"))
