"""The command line `connect`: one file per noun. What is heavy is imported when a command runs, not before."""

from __future__ import annotations


def main() -> None:
    from .app import app

    app(prog_name="connect")
