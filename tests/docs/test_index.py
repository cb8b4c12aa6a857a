"""The index of the documentation is complete, and no page links to a file or heading that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("plugins/*/README.md")])
FOLDERS = {"tutorial": "Tutorial", "howto": "How-to guides", "reference": "Reference", "explanation": "Explanation"}


def links_of(text: str) -> list[str]:
    """The targets of all links that lead to a place in this repository."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in target]


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    found = []
    for link in links_of(page.read_text()):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n[here](#a-page) [gone](#gone) [there](gone.md) [out](https://example.com/)\n")
    assert broken(page) == ["#gone", "gone.md"]


def test_the_index_links_every_page_under_its_kind():
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", INDEX.read_text(), flags=re.MULTILINE | re.DOTALL))
    for folder, title in FOLDERS.items():
        pages = {page.relative_to(DOCS).as_posix() for page in (DOCS / folder).rglob("*.md")}
        assert set(links_of(sections[title])) == pages, title


def test_the_index_links_every_other_page():
    others = {page.name for page in DOCS.glob("*.md")} - {INDEX.name}
    assert others <= set(links_of(INDEX.read_text()))


def test_every_page_of_the_index_has_a_sentence():
    entries = re.findall(r"^\* (.*?)(?=^\* |^#|\Z)", INDEX.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert entries
    for entry in entries:
        assert re.fullmatch(r"\[[^\]]+\]\(\S+\) \w.+\.\s*", entry, flags=re.DOTALL), entry
