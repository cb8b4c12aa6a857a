"""The one renderer of tables: for people on a terminal, and for programs that read the lines."""

from __future__ import annotations

import io
import sys

import pytest

from connectory.cli.tables import table

LONG = "word " * 60


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(monkeypatch, stream: io.StringIO, *arguments, **options) -> list[str]:
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    table(*arguments, **options)
    return stream.getvalue().splitlines()


def test_columns_are_aligned_and_lines_end_with_their_text(monkeypatch):
    lines = printed(monkeypatch, io.StringIO(), ("id", "name"), [(1, "ann"), (1000, None)])
    assert lines == ["id    name", "1     ann", "1000"]


def test_without_rows_the_names_of_the_columns_are_left(monkeypatch):
    assert printed(monkeypatch, io.StringIO(), ("id", "name"), []) == ["id  name"]


def test_nothing_wraps_and_nothing_is_cut_in_a_file(monkeypatch):
    lines = printed(monkeypatch, io.StringIO(), ("id", "why"), [(1, LONG)])
    assert lines == ["id  why", f"1   {LONG}".rstrip()]


def test_a_terminal_folds_long_cells(monkeypatch):
    lines = printed(monkeypatch, Terminal(), ("id", "why"), [(1, LONG)])
    assert len(lines) > 3
    assert "".join(lines).count("word") == 60


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_foreign_text_neither_commands_the_terminal_nor_is_markup(monkeypatch, stream):
    [_, line] = printed(monkeypatch, stream(), ("text",), [("\x1b]0;gotcha\x07 [red]x[/red]",)])
    assert line.rstrip() == "\ufffd]0;gotcha\ufffd [red]x[/red]"


def test_colours_are_for_terminals(monkeypatch):
    shown = {"columns": ("verdict",), "rows": [("created",)], "colours": {"created": "green"}}
    assert printed(monkeypatch, io.StringIO(), **shown)[1] == "created"
    assert "\x1b[32mcreated" in printed(monkeypatch, Terminal(), **shown)[1]
