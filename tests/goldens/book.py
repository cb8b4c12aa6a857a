"""The pages that a scenario writes, and their comparison with those that are stored."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

STORED = Path(__file__).parent / "stored"


class Book:
    """Pages by name; each page is a list of sections. `replace` is what cannot be fixed, by what stands for it."""

    def __init__(self) -> None:
        self.step = ""
        self.replacements: dict[str, str] = {}
        self._sections: dict[str, list[str]] = {}

    def add(self, page: str, section: str) -> None:
        for found, word in self.replacements.items():
            section = section.replace(found, word)
        title = f"##### {self.step}\n" if self.step else ""
        self._sections.setdefault(page, []).append(f"{title}{section}\n")

    @property
    def pages(self) -> dict[str, str]:
        return {f"{page}.txt": "\n".join(sections) for page, sections in self._sections.items()}


def spread(line: str) -> str:
    """A line of JSON as many lines, where that loses nothing: the line is exactly what `json.dumps` makes of it."""
    if not line.startswith(("{", "[")):
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return json.dumps(value, ensure_ascii=False, indent=1) if json.dumps(value, ensure_ascii=False) == line else line


def stored(scenario: str) -> dict[str, str]:
    """The pages of a scenario as they were written last."""
    folder = STORED / scenario
    return {path.name: path.read_bytes().decode() for path in sorted(folder.glob("*.txt"))}


def write(scenario: str, pages: dict[str, str]) -> list[str]:
    """Store the pages of a scenario, and remove those that it has no more; returns the names of those that changed."""
    folder, before = STORED / scenario, stored(scenario)
    folder.mkdir(parents=True, exist_ok=True)
    for name in before.keys() - pages.keys():
        (folder / name).unlink()
    for name, text in pages.items():
        (folder / name).write_bytes(text.encode())
    return sorted(name for name in before.keys() | pages.keys() if before.get(name) != pages.get(name))


def difference(scenario: str, pages: dict[str, str]) -> str:
    """What differs from the stored pages, as a unified difference; empty where nothing does."""
    before, parts = stored(scenario), []
    for name in sorted(before.keys() | pages.keys()):
        old, new = before.get(name, ""), pages.get(name, "")
        if old != new:
            lines = _compared(old, new, f"stored/{scenario}/{name}")
            parts += lines or [f"stored/{scenario}/{name}: the lines are equal, their ends are not"]
    return "\n".join(parts)


def _compared(old: str, new: str, name: str) -> list[str]:
    """Of bodies that were sent, the fields that differ; the bytes where only these differ."""
    for readable in (_readable, str.splitlines):
        found = list(difflib.unified_diff(readable(old), readable(new), name, f"{name} now", lineterm="", n=4))
        if found:
            return found
    return []


def _readable(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        try:
            lines += json.dumps(json.loads(line), indent=1).splitlines() if line.startswith("{") else [line]
        except ValueError:
            lines.append(line)
    return lines
