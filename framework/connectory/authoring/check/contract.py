"""Finds the tests of a project that inherit `ElementContract`, and runs them in a separate process."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .project import Project

CONTRACT = "ElementContract"
MOST_SECONDS = 1800


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractClass:
    """A test class. `element` is the key that it names; `overridden` are the `test_` methods that it defines itself."""

    file: Path
    name: str
    element: str | None
    overridden: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractRun:
    """How the tests ended. `problem` says why they did not run or gave no result; it is None if they ran.

    `failures` are the names of the tests that failed, each with what the author should do.
    """

    problem: str | None = None
    is_broken: bool = False
    passed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return self.is_broken or bool(self.failures)


def contract_classes(project: Project) -> list[ContractClass]:
    """The test classes that inherit the contract, also through another class of the same file."""
    return [found for file in _test_files(project) for found in _classes_of(file)]


def _test_files(project: Project) -> Iterator[Path]:
    for tests in project.tests:
        if tests.is_file():
            yield tests
        yield from sorted(file for file in tests.rglob("*.py") if file.name.startswith("test_"))


def _classes_of(file: Path) -> Iterator[ContractClass]:
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except SyntaxError:
        # Pytest reports the syntax error when it runs the file.
        return
    # The classes that inherit the contract, with the element that each one names or inherits.
    heirs: dict[str, str | None] = {CONTRACT: None}
    for node in tree.body:
        above = [_last_name(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        inherited = [heirs[name] for name in above if name in heirs]
        if not isinstance(node, ast.ClassDef) or not inherited:
            continue
        element = heirs[node.name] = _element(node) or inherited[0]
        if node.name.startswith("Test"):
            yield ContractClass(file=file, name=node.name, element=element, overridden=_overridden(node))


def _last_name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")


def _element(node: ast.ClassDef) -> str | None:
    for part in node.body:
        targets = (
            part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
        )
        value = getattr(part, "value", None)
        if any(getattr(target, "id", "") == "element" for target in targets) and isinstance(value, ast.Constant):
            return str(value.value)
    return None


def _overridden(node: ast.ClassDef) -> tuple[str, ...]:
    return tuple(part.name for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"))


def run_contract(project: Project) -> ContractRun:
    """Run all of them with pytest, in the project's directory."""
    if project.path is None:
        return ContractRun(problem="its tests are not installed; check the project's directory instead")
    classes = contract_classes(project)
    if not classes:
        return ContractRun(problem=f"no test class inherits {CONTRACT}")
    if importlib.util.find_spec("pytest") is None:
        return ContractRun(problem="pytest is not installed: pip install pytest")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = sorted({str(one.file) for one in classes})
        ended = _pytest(project, project.path, files, report)
        return _read(report, {one.name for one in classes}) if ended is None and report.exists() else _broken(ended)


def _pytest(project: Project, path: Path, files: Sequence[str], report: Path) -> str | None:
    command = [sys.executable, "-m", "pytest", *files, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    paths = [*map(str, project.roots), *filter(None, [os.environ.get("PYTHONPATH")])]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(  # noqa: S603 - the tests of the project that somebody asks to check
            command, cwd=path, env=environ, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the tests did not end within {MOST_SECONDS // 60} minutes"
    # Codes 0 and 1 mean that the tests ran; with any other code pytest itself failed.
    return None if done.returncode in {0, 1} else _last_lines(done.stdout + done.stderr)


def _last_lines(text: str) -> str:
    return " | ".join(line for line in text.splitlines() if line.strip()).strip()[-500:] or "pytest printed nothing"


def _broken(said: str | None) -> ContractRun:
    return ContractRun(problem=f"pytest gave no result: {said or 'it wrote no report'}", is_broken=True)


def _read(report: Path, classes: set[str]) -> ContractRun:
    # Our own pytest wrote this report, so it is not hostile.
    cases = [case for case in ElementTree.parse(report).iter("testcase") if _class_of(case) in classes]  # noqa: S314
    failures = [text for case in cases for text in _failure(case)]
    skipped = sum(case.find("skipped") is not None for case in cases)
    if not cases:
        return ContractRun(problem="pytest ran none of these tests", is_broken=True)
    return ContractRun(passed=len(cases) - skipped - len(failures), skipped=skipped, failures=tuple(failures))


def _class_of(case: ElementTree.Element) -> str:
    return case.get("classname", "").rpartition(".")[2]


def _failure(case: ElementTree.Element) -> list[str]:
    """The name of the test, and the cure that the contract puts into the last line of its message."""
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            said = f"{found.get('message', '')}\n{found.text or ''}"
            cures = [line.partition("cure:")[2].strip() for line in said.splitlines() if "cure:" in line]
            first = found.get("message", "").partition("\n")[0]
            return [f"{case.get('name')}: {cures[0] if cures else first}"]
    return []
