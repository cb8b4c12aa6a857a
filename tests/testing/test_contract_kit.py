"""What the kit itself promises: clear words for a test class that is not ready, and no check that gets lost."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectory import hookimpl
from connectory.testing import ElementContract
from connectory.testing.contract.gateway import MOST_CALLS
from connectory.testing.contract.running import run_contract
from connectory.testing.contract.world import World
from demo import Demo

TESTS = Path(__file__).parents[1]


def contract_of(**members) -> type[ElementContract]:
    return type("TestIt", (ElementContract,), {"plugin": Demo(), "element": "demo"} | members)


def outcome_of(contract, check="test_metadata_is_complete"):
    (outcome,) = run_contract(contract, [check])
    return outcome


class NoSandbox(Demo):
    @hookimpl
    def connect_open_sandbox(self, element):
        return None


class Mute(Demo):
    """A sandbox that is a mere function."""

    @hookimpl
    def connect_open_sandbox(self, element):
        return lambda environ, start_response: []


class Crashing(Demo):
    @hookimpl
    def connect_open_sandbox(self, element):
        raise OSError("the seed file is missing")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"plugin": None}, "names no plugin"),
        ({"plugin": object()}, "implements no hook"),
        ({"element": "another"}, "registers no element 'another'; it registers demo"),
        ({"plugin": NoSandbox()}, "has no sandbox"),
        ({"plugin": Mute()}, "not a WSGI application with a method configuration"),
        ({"plugin": Crashing()}, "the seed file is missing"),
        ({"set_clock": lambda self, sandbox, now: 1 / 0}, "ZeroDivisionError"),
    ],
)
def test_a_test_class_that_is_not_ready_is_told_why(members, words):
    outcome = outcome_of(contract_of(**members))
    assert outcome.status == "failed"
    assert words in outcome.message
    assert outcome.message.splitlines()[-1].startswith("cure: ")


class Unpolled(Demo):
    resource = replace(Demo.resource, poller=None)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"plugin": Unpolled()}, "no resource of the element can be polled"),
        ({"plugin": Unpolled(), "resources": ("orders",)}, "orders has no default poller entry"),
        ({"resources": ("customers",)}, "no resource 'customers'; it has orders"),
        ({"create": lambda self, sandbox, resource: None}, "create() of orders returned None"),
        ({"create": lambda self, sandbox, resource: sandbox.tables["nothing"]}, "KeyError: 'nothing'"),
        ({"configuration": {"demo.url": "http://127.0.0.1:1"}}, "no instance can be made"),
    ],
)
def test_what_a_test_class_says_is_checked_when_it_is_used(members, words):
    outcome = outcome_of(contract_of(**members), "test_list_shows_new_records")
    assert outcome.status == "failed"
    assert words in outcome.message
    assert outcome.message.splitlines()[-1].startswith("cure: ")


def test_a_crash_shows_where_it_was():
    def create(self, sandbox, resource):
        raise LookupError("no such shelf")

    outcome = outcome_of(contract_of(create=create), "test_list_shows_new_records")
    assert "test_contract_kit.py" in outcome.message
    assert "LookupError: no such shelf" in outcome.message


def test_a_check_of_the_authors_own_fails_as_it_likes():
    def test_own(self, world):
        raise LookupError("mine")

    with pytest.raises(LookupError):
        outcome_of(contract_of(test_own=test_own), "test_own")


# Skips


def test_a_check_that_cannot_apply_is_skipped_with_its_reason():
    outcome = outcome_of(contract_of(), "test_order_of_a_keyset_holds")
    assert (outcome.status, outcome.resource) == ("skipped", "orders")
    assert "not asked for by the last record" in outcome.message


def test_a_skip_that_nobody_expects_fails():
    outcome = outcome_of(contract_of(may_skip=()), "test_order_of_a_keyset_holds")
    assert outcome.status == "failed"
    assert "may_skip" in outcome.message


def test_a_skip_that_is_expected_is_one():
    expected = contract_of(may_skip=("test_order_of_a_keyset_holds",))
    assert outcome_of(expected, "test_order_of_a_keyset_holds").status == "skipped"


# The checks


def checks() -> dict[str, object]:
    return {
        name: check
        for name, check in inspect.getmembers(ElementContract, inspect.isfunction)
        if name.startswith("test_")
    }


def test_no_check_hides_another():
    defined = [name for group in ElementContract.__mro__ for name in vars(group) if name.startswith("test_")]
    assert len(defined) == len(set(defined))


def test_every_check_takes_a_world():
    for name, check in checks().items():
        assert list(inspect.signature(check).parameters) in (["self", "world"], ["self", "world", "resource"]), name


def test_every_failure_says_what_to_do():
    """`broken` and `demand` want a cure; nothing else may end a check."""
    folder = Path(inspect.getfile(ElementContract)).parent
    for path in folder.glob("*.py"):
        if path.name != "failing.py":
            assert not re.search(r"pytest\.fail\(|^\s*assert ", path.read_text(), re.MULTILINE), path


def test_what_does_not_end_is_stopped(tmp_path):
    world = World(contract_of()(), tmp_path, "test")
    try:
        plan = world.plan("orders")
        request, _ = plan.request(world.window())
        for _ in range(MOST_CALLS):
            last = world.exchange(request)
        assert "508" in str(last)
    finally:
        world.close()


def test_the_providers_clock_can_be_elsewhere(tmp_path):
    world = World(contract_of()(), tmp_path, "test")
    try:
        now = world.clock.now()
        with world.at(now.replace(year=now.year - 1)):
            stamp = world.sandbox.tables["orders"].insert({})["updated_at"]
        assert stamp.startswith(str(now.year - 1))
        assert world.provider_now() == now
    finally:
        world.close()


# A project of somebody's own


@pytest.fixture
def project(tmp_path):
    """A plugin in a folder of its own, of which nothing is configured but its test class."""
    shutil.copy(TESTS / "demo.py", tmp_path / "demo.py")
    text = "from connectory.testing import ElementContract\nfrom demo import Demo\n"
    text += "\n\nclass TestDemo(ElementContract):\n    plugin = Demo()\n    element = 'demo'\n"
    (tmp_path / "test_demo.py").write_text(text)
    return tmp_path


def run_pytest(project, *options):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "pythonpath=.", *options]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=100)


def test_plain_pytest_runs_it(project):
    chosen = "registered or ids_are_unique or probe"
    done = run_pytest(project, "-k", chosen, "-v")
    assert done.returncode == 0, done.stdout
    assert "test_ids_are_unique_texts[orders] PASSED" in done.stdout


def test_a_failure_ends_with_its_cure(project):
    broken = (project / "demo.py").read_text().replace("poller=entry(),", 'poller=entry(idField="number"),')
    (project / "demo.py").write_text(broken)
    done = run_pytest(project, "-k", "id_field_holds")
    assert done.returncode == 1
    assert re.search(r"^cure: let id_field, and idField of the poller entry", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout
