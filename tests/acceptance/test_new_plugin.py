"""A new plugin in a virtual environment that has the framework and nothing else, as its author meets it."""

from __future__ import annotations

import json

import pytest
from fresh import Shell

# The environment is made by pip from its index: a minute, on a machine that has others to serve.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def shell(tmp_path_factory, framework_wheel):
    shell = Shell(tmp_path_factory.mktemp("fresh"), framework_wheel)
    shell.run("python -m venv venv && . venv/bin/activate && pip install --quiet connectory")
    return shell


def elements(shell):
    return {element["key"] for element in json.loads(shell.run("connect elements --json"))}


def test_a_new_plugin_works_at_once_and_is_gone_when_it_is_uninstalled(shell):
    assert elements(shell) == set()
    shell.run("connect plugin new demo --no-input && cd demo && pip install --quiet -e '.[test]'")
    assert " passed" in shell.run("pytest")
    told = shell.run("connect run demo --sandbox --for 15s --json").splitlines()
    summary = json.loads(told[-1])
    assert summary["kind"] == "summary"
    assert sum(row["delivered"] for row in summary["resources"]) > 0
    assert elements(shell) == {"demo"}
    shell.run("ruff check && ruff format --check && mypy")
    assert "is already installed" in shell.try_to("connect plugin new demo --no-input").stderr
    shell.run("cd .. && pip uninstall --quiet --yes connectory-demo")
    assert elements(shell) == set()


def test_a_wheel_is_all_it_takes_and_a_second_claim_is_refused(shell):
    for name in ("first", "second"):
        shell.run(f"connect plugin new {name} --no-input --auth bearer")
    # Both register one element.
    shell.run('sed -i \'s/key="second"/key="first"/\' second/src/connectory_second/__init__.py')
    shell.run("pip wheel --quiet --no-deps --wheel-dir wheels ./first ./second")
    shell.run("pip install --quiet wheels/connectory_first-*.whl wheels/connectory_second-*.whl")
    assert elements(shell) & {"first", "second"} == {"first"}
    plugins = {plugin["name"]: plugin for plugin in json.loads(shell.run("connect plugins --json"))}
    assert plugins["first"]["quarantined"] is None
    assert plugins["second"]["distribution"] == "connectory-second"
    assert "the element 'first', which the plugin 'first' provides" in plugins["second"]["quarantined"]
    assert "which the plugin 'first' provides" in shell.run("connect plugins")
    shell.run("connect run first --sandbox --once")
    shell.run("pip uninstall --quiet --yes connectory-first")
    assert "first" in elements(shell), "the second has the key for itself now"
    shell.run("pip uninstall --quiet --yes connectory-second")
    assert "first" not in elements(shell)
