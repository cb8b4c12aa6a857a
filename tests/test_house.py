"""The walls of the house: who imports whom, and how large a room, a file and a function may grow.

The graph is read from the source, so that it holds imports inside functions and under `TYPE_CHECKING`, too.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "framework" / "connectory"
SOURCES = (PACKAGE, *sorted((ROOT / "plugins").glob("*/src/*")))

MOST_FILES = 16
MOST_LINES = 350
MOST_FUNCTION_LINES = 40

# Rooms with one file per noun may be larger.
LARGE_ROOMS = {".", "cli", "testing/contract"}
LONG_FUNCTIONS = {
    "framework/connectory/cli/run.py:run": "each of its 18 options is declared once and handed on once",
}

FACES = ("connectory.cli", "connectory.api", "connectory.web")


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {name_of(file): file for file in PACKAGE.rglob("*.py")}


@cache
def imports_of(name: str) -> frozenset[str]:
    """The modules of the framework that a module names in any import statement."""
    file = modules()[name]
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = from_of(node, package)
            # `from . import x` imports the module x if there is one, and otherwise a name of the package.
            found.update(full if (full := f"{base}.{alias.name}") in modules() else base for alias in node.names)
    return frozenset((found & modules().keys()) - {name})


def from_of(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def cycles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """The groups of nodes that reach one another, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(groups)


def test_the_graph_sees_every_kind_of_import():
    assert "connectory.app" in imports_of("connectory.cli.elements"), "an import inside a function"
    assert "connectory.app.app" in imports_of("connectory.app"), "a relative import of a sibling"
    assert "connectory.receiver.receiver" in imports_of("connectory.cli.listen"), "an import for types only"


def test_cycles_are_found():
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b"), "d": frozenset("a")}
    assert cycles(graph) == [["b", "c"]]


def test_no_modules_import_one_another():
    assert cycles({name: imports_of(name) for name in modules()}) == []


def rooms_below_the_application() -> tuple[str, ...]:
    """The rooms that import-linter keeps the faces from. It cannot see imports under `TYPE_CHECKING`; this test can."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [names] = [one["forbidden_modules"] for one in contracts if one["name"].startswith("A face")]
    return tuple(names)


def is_inside(name: str, rooms: Sequence[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@pytest.mark.parametrize("face", FACES)
def test_a_face_imports_no_room_below_the_application(face):
    below = rooms_below_the_application()
    wrong = {
        name: found
        for name in modules()
        if is_inside(name, [face]) and (found := [other for other in imports_of(name) if is_inside(other, below)])
    }
    assert wrong == {}


def test_rooms_are_told_from_modules_with_longer_names():
    assert is_inside("connectory.store.polls", rooms_below_the_application())
    assert not is_inside("connectory.storage", rooms_below_the_application())


def python_files() -> list[Path]:
    return [file for source in SOURCES for file in sorted(source.rglob("*.py"))]


def test_no_room_holds_more_files_than_a_reader_can_keep_in_mind():
    held: defaultdict[str, int] = defaultdict(int)
    for source in SOURCES:
        for file in source.rglob("*.py"):
            folder = file.parent.relative_to(source).as_posix()
            provider = source != PACKAGE and folder == "sandbox"
            if folder not in LARGE_ROOMS and not provider and "migrations" not in file.parts:
                held[f"{source.name}/{folder}"] += 1
    assert {room: count for room, count in held.items() if count > MOST_FILES} == {}


def test_no_file_is_too_long():
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text().splitlines()) for file in python_files()}
    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES} == {}


@cache
def long_functions() -> dict[str, int]:
    found = {}
    for file in python_files():
        if "migrations" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    found[f"{file.relative_to(ROOT).as_posix()}:{node.name}"] = lines
    return found


def test_no_function_is_too_long_without_a_reason():
    assert {name: lines for name, lines in long_functions().items() if name not in LONG_FUNCTIONS} == {}


def test_every_reason_is_still_needed():
    assert set(LONG_FUNCTIONS) <= set(long_functions())
