"""The script of the how-to, in a virtual environment that has two wheels and what they depend on, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fresh import Shell
from ownprogram import script

PLUGIN = Path(__file__).parents[2] / "plugins" / "servicenow"

# The environment is made by pip from its index: a minute, on a machine that has others to serve.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def shell(tmp_path, framework_wheel):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(PLUGIN)]
    subprocess.run(build, check=True)
    shell = Shell(tmp_path, framework_wheel)
    [plugin] = tmp_path.glob("connectory_servicenow-*.whl")
    shell.run(f"python -m venv venv && . venv/bin/activate && pip install --quiet connectory {plugin}")
    return shell


def test_the_script_works_with_the_two_wheels_alone(shell, tmp_path):
    (tmp_path / "program.py").write_text(script())
    lines = shell.run("python program.py").splitlines()
    changes = [line for line in lines if line.startswith("in the sandbox:")]
    events = lines[len(changes) :]
    assert len(changes) == 3
    assert 1 <= len(events) <= 3
    assert all(line.split()[2] in {"CREATED", "UPDATED"} for line in events)
    assert (tmp_path / "my-store" / "connectory.db").exists()
