"""`docs/howto/test-an-element.md` says what there is."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

from connectory.testing import ElementContract, pytest_plugin
from connectory.testing.contract.running import run_contract
from onefile import load_page

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "test-an-element.md").read_text()


def test_its_test_class_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "acme_plugin", load_page())
    names = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], names)
    checks = ["test_instance_is_made", "test_list_shows_new_records"]
    found = [(one.check, one.resource, one.status) for one in run_contract(names["TestAcme"], checks)]
    assert found == [
        ("test_instance_is_made", "", "passed"),
        ("test_list_shows_new_records", "orders", "passed"),
        ("test_list_shows_new_records", "customers", "passed"),
    ]


def test_the_fixtures_are_the_ones_it_names():
    there = {name for name in vars(pytest_plugin) if name.startswith("connectory_")}
    assert set(re.findall(r"`(connectory_[a-z]+)`", PAGE)) == there


@pytest.mark.parametrize("name", re.findall(r"`([a-z_]+)`", PAGE.partition("may say")[2].partition("## Fix")[0]))
def test_what_may_be_overridden_is_there(name):
    assert hasattr(ElementContract, name)


def test_checks_that_it_names_exist():
    for name in set(re.findall(r"test_[a-z_]+", PAGE)):
        assert hasattr(ElementContract, name)


def test_there_are_as_many_checks_as_promised():
    checks = [name for name, _ in inspect.getmembers(ElementContract, inspect.isfunction) if name.startswith("test_")]
    assert len(checks) >= 40
