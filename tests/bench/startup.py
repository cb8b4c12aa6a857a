"""What `connect --help` and completion cost beside a bare Typer app with two commands."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BARE = """
import typer

app = typer.Typer()


@app.command()
def one(name: str = "x") -> None:
    \"\"\"One.\"\"\"


@app.command()
def two(name: str = "x") -> None:
    \"\"\"Two.\"\"\"


if __name__ == "__main__":
    app(prog_name="bare")
"""


def compare(times: int) -> list[tuple[str, float, float]]:
    """What was measured, our seconds, the bare app's seconds; medians of interleaved runs."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        return [
            ("connect --help", *_medians(times, [sys.executable, "-m", "connectory", "--help"], bare, ["--help"], {})),
            ("completion", *_medians(times, [sys.executable, "-m", "connectory"], bare, [], _completing)),
        ]


def _medians(times: int, ours: list[str], bare: Path, arguments: list[str], variables) -> tuple[float, float]:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        found[0].append(_run(ours, variables("CONNECT", "connect") if variables else {}))
        command = [sys.executable, str(bare), *arguments]
        found[1].append(_run(command, variables("BARE", "bare") if variables else {}))
    return statistics.median(found[0]), statistics.median(found[1])


def _completing(name: str, program: str) -> dict[str, str]:
    return {f"_{name}_COMPLETE": "complete_bash", "COMP_WORDS": f"{program} ", "COMP_CWORD": "1"}


def _run(command: list[str], variables: dict[str, str]) -> float:
    """CPU seconds of a child process: what it costs, whatever else the machine does."""
    before = os.times()
    subprocess.run(command, env=os.environ | variables, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
