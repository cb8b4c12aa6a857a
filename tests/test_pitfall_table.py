"""The table of pitfalls and complaints names tests that exist, all of them, and covers every number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs/explanation/polling.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \|.*\| `(test_(\w+?)_(\d\d)_\w+)` \|$", re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "file", "numbers"),
    [
        ("pitfall", "plugins/servicenow/test_snow_pitfalls.py", set(range(1, 18))),
        ("complaint", "polling/test_complaints.py", {*range(1, 19), 23, 25}),
    ],
)
def test_each_number_has_its_row_and_its_test(kind, file, numbers):
    rows = [(int(number), name, int(of)) for number, name, what, of in ROW.findall(PAGE) if what == kind]
    assert {number for number, _, _ in rows} == numbers
    assert len(rows) == len(numbers)
    assert all(number == of for number, _, of in rows)
    tests = set(re.findall(rf"^def (test_{kind}_\w+)", (HERE / file).read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for _, name, _ in rows} == tests
