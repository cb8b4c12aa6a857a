"""A new plugin in a virtual environment that has the framework and nothing else, as its author meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The environment is made by pip from its index: a minute, on a machine that has others to serve.
pytestmark = pytest.mark.timeout(600)


class Shell:
    """A shell with a virtual environment of its own."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
        self.environment = kept | {
            "PATH": f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(folder / "venv"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "CONNECTORY_HOME": str(folder / "home"),
        }

    def try_to(self, command):
        return subprocess.run(
            ["bash", "-ec", command], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self, command):
        done = self.try_to(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def elements(self):
        return {element["key"] for element in json.loads(self.run("connect elements --json"))}


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("fresh"))
    shell.run(f"pip wheel --quiet --no-deps --wheel-dir wheels '{ROOT}'")
    shell.run("pip install --quiet wheels/connectory-*.whl")
    return shell


def test_a_new_plugin_works_at_once_and_is_gone_when_it_is_uninstalled(shell):
    assert shell.elements() == set()
    shell.run("connect plugin new demo --no-input")
    tested = shell.run("cd demo && pip install --quiet -e '.[test]' && pytest")
    assert " passed" in tested
    told = shell.run("cd demo && connect run demo --sandbox --for 15s --json").splitlines()
    summary = json.loads(told[-1])
    assert summary["kind"] == "summary"
    assert sum(row["delivered"] for row in summary["resources"]) > 0
    assert shell.elements() == {"demo"}
    shell.run("cd demo && ruff check && ruff format --check && mypy")
    assert "already" in shell.try_to("connect plugin new demo --no-input").stderr
    shell.run("pip uninstall --quiet --yes connectory-demo")
    assert shell.elements() == set()


def test_a_wheel_is_all_it_takes_and_a_second_claim_is_refused(shell):
    for name in ("first", "second"):
        shell.run(f"connect plugin new {name} --no-input --auth bearer")
    # Both register one element.
    shell.run('sed -i \'s/key="second"/key="first"/\' second/src/connectory_second/__init__.py')
    shell.run("pip wheel --quiet --no-deps --wheel-dir wheels ./first ./second")
    shell.run("pip install --quiet wheels/connectory_first-*.whl wheels/connectory_second-*.whl")
    assert shell.elements() & {"first", "second"} == {"first"}
    plugins = {plugin["name"]: plugin for plugin in json.loads(shell.run("connect plugins --json"))}
    assert plugins["first"]["quarantined"] is None
    assert plugins["second"]["distribution"] == "connectory-second"
    assert "the element 'first', which the plugin 'first' provides" in plugins["second"]["quarantined"]
    assert "which the plugin 'first' provides" in shell.run("connect plugins")
    shell.run("connect run first --sandbox --once")
    shell.run("pip uninstall --quiet --yes connectory-first")
    assert "first" in shell.elements(), "the second has the key for itself now"
    shell.run("pip uninstall --quiet --yes connectory-second")
    assert "first" not in shell.elements()
