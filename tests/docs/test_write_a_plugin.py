"""`docs/tutorial/write-a-plugin.md` is what the page says it is: its commands run, its files are written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from fresh import Shell

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "write-a-plugin.md"
BLOCK = re.compile(r"```(console|python|toml)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"`([\w./-]+\.(?:py|toml))`")


def blocks():
    """The page's blocks in their order: the kind, the text, and the file that the text above names last."""
    page = PAGE.read_text()
    for match in BLOCK.finditer(page):
        named = FILE.findall(page[: match.start()])
        yield match[1], match[2], named[-1] if named else None


def commands(block):
    """The commands of a console block, each with the lines that it is said to print."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def test_the_page_is_read_whole():
    assert [kind for kind, _, _ in blocks()].count("python") == PAGE.read_text().count("```python") == 3
    assert sum(len(commands(text)) for kind, text, _ in blocks() if kind == "console") > 20


def check_printed(command, printed, lines):
    """What the page shows, in its order; `...` stands for anything."""
    shown = "\n".join(lines)
    pattern = re.escape(shown).replace(r"\.\.\.", "(?s:.*)")
    assert re.search(f"^{pattern}", printed, re.MULTILINE), f"{command} printed\n{printed}\nand not\n{shown}"


def put_into(path, text):
    """Replace the definitions of a Python file that the text has too, each where it stands."""
    source = path.read_text()
    for node in reversed(ast.parse(source).body):
        new = next((other for other in ast.parse(text).body if names(other) and names(other) == names(node)), None)
        if new is not None:
            lines = source.splitlines(keepends=True)
            replacement = ast.get_source_segment(text, new) + "\n"
            source = "".join([*lines[: node.lineno - 1], replacement, *lines[node.end_lineno :]])
    for node in ast.parse(text).body:
        assert ast.get_source_segment(text, node) in source, f"{path} has no {names(node)} to replace"
    path.write_text(source)


def names(node):
    if isinstance(node, ast.FunctionDef):
        return (node.name,)
    if isinstance(node, ast.Assign):
        return tuple(ast.unparse(target) for target in node.targets)
    return ()


@pytest.mark.timeout(600)
def test_every_command_and_file_of_the_page(tmp_path, framework_wheel):
    shell = Shell(tmp_path, framework_wheel)
    for kind, text, file in blocks():
        if kind == "console":
            for command, lines in commands(text):
                check_printed(command, shell.run(command, whole=True), lines)
        elif kind == "toml":
            path = shell.directory / file
            path.write_text(path.read_text().replace('readme = "README.md"\n', f'readme = "README.md"\n{text}'))
            assert text in path.read_text()
        else:
            put_into(shell.directory / file, text)
