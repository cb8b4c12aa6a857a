"""Below the command line, only `hints` names commands: another face shows its own way to do the same."""

from __future__ import annotations

import re
from pathlib import Path

import connectory
from connectory import hints
from connectory.cli.app import COMMANDS

PACKAGE = Path(connectory.__file__).parent
NAMED = re.compile(rf"\bconnect ({'|'.join(COMMANDS)})\b")


def may_name_commands(file: Path) -> bool:
    place = file.relative_to(PACKAGE).as_posix()
    return place.startswith(("cli/", "authoring/")) or place == "hints.py"


def test_only_the_table_of_hints_names_commands():
    named = {
        f"{file.relative_to(PACKAGE).as_posix()}:{number}": line.strip()
        for file in sorted(PACKAGE.rglob("*.py"))
        if not may_name_commands(file)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if NAMED.search(line)
    }
    assert named == {}


def test_the_hints_name_commands_that_exist():
    text = Path(hints.__file__).read_text(encoding="utf-8")
    named = re.findall(r"\bconnect ([a-z-]+)\b", text)
    assert NAMED.search(text)
    assert set(named) <= set(COMMANDS)
