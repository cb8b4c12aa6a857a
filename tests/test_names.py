"""The public names are written once, in the stub, and every one of them exists."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import connectory


def written() -> dict[str, tuple[str, str]]:
    tree = ast.parse(Path(connectory.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    places = {alias.asname: (node.module, alias.name) for node in imports for alias in node.names}
    aliases = [node for node in tree.body if isinstance(node, ast.Assign)]
    renamed = {node.targets[0].id: places.pop(node.value.id) for node in aliases}
    return places | renamed


def test_every_name_of_the_stub_is_public():
    assert written() == connectory._WHERE
    assert sorted(written()) == connectory.__all__
    assert {"App", "Element", "open", "parse_ceql"} <= set(connectory.__all__)


@pytest.mark.parametrize(("name", "place"), written().items())
def test_a_public_name_is_what_its_module_has(name, place):
    module, attribute = place
    __import__(f"connectory.{module}")
    assert getattr(connectory, name) is getattr(sys.modules[f"connectory.{module}"], attribute)


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="'connectory' has no attribute 'Elements'"):
        _ = connectory.Elements


def test_a_star_import_brings_the_public_names():
    code = "from connectory import *; print(Element.__name__, hookimpl.project_name)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "Element connectory\n"


def test_importing_the_package_loads_none_of_its_modules():
    code = "import sys, connectory; print([name for name in sys.modules if name.startswith('connectory.')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
