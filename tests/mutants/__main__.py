"""`make mutants`: applies each mutant to a copy of the tree, and fails where the tests do not notice."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
SOURCES = ("framework", "plugins/servicenow/src", "plugins/sageone/src")
# Longer than the slowest set of tests of one mutant takes; a mutant that makes a test hang is noticed, too.
LIMIT = 300


@dataclass(frozen=True, kw_only=True)
class Mutant:
    room: str
    number: int
    file: str
    find: str
    replace: str
    reason: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.room} {self.number}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    mutant: Mutant
    problem: str | None
    seconds: float


def load(only: str | None = None) -> list[Mutant]:
    """The mutants of all rooms, or of one; a `SystemExit` where a file does not say what it must."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        if only is None or path.stem == only:
            held = tomllib.loads(path.read_text())["mutant"]
            found += [_mutant(path.stem, number, entry) for number, entry in enumerate(held, 1)]
    if not found:
        sys.exit(f"there are no mutants{f' of {only}' if only else ''} in {FOLDER}")
    return found


def _mutant(room: str, number: int, entry: dict) -> Mutant:
    try:
        return Mutant(room=room, number=number, **entry | {"tests": tuple(entry["tests"])})
    except (KeyError, TypeError) as error:
        sys.exit(f"{room}.toml, mutant {number}: {error}")


class Copy:
    """A copy of the tracked files, in which one mutant at a time is tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in listed.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    def try_out(self, mutant: Mutant) -> Outcome:
        started = time.monotonic()
        path = self._folder / mutant.file
        text = path.read_text()
        if text.count(mutant.find) != 1:
            problem = f"what it replaces stands {text.count(mutant.find)} times in {mutant.file}"
            return Outcome(mutant=mutant, problem=problem, seconds=0.0)
        path.write_text(text.replace(mutant.find, mutant.replace))
        try:
            problem = "its tests pass all the same" if self.passes(mutant.tests) else None
        finally:
            path.write_text(text)
        return Outcome(mutant=mutant, problem=problem, seconds=time.monotonic() - started)

    def passes(self, tests: tuple[str, ...]) -> bool:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
        environ = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(self._folder / source) for source in SOURCES),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "true",
        }
        try:
            done = subprocess.run(
                command, cwd=self._folder, env=environ, capture_output=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        # 1: tests failed. Others mean that nothing was tested, which proves nothing.
        if done.returncode not in {0, 1, 2}:
            sys.exit(f"the tests cannot be run: {' '.join(tests)}\n{done.stdout.decode()}{done.stderr.decode()}")
        return done.returncode == 0


def check_baseline(copy: Copy, mutants: list[Mutant]) -> None:
    """Without any mutant, all tests must pass: else each mutant would count as noticed."""
    tests = tuple(sorted({test for mutant in mutants for test in mutant.tests}))
    if not copy.passes(tests):
        sys.exit("some tests fail without any mutant; make `make test` pass first")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="the mutants of one file, such as polling")
    parser.add_argument("--sample", type=int, help="so many of them, drawn by the seed")
    parser.add_argument("--seed", type=int, default=int(time.time() // 86_400), help="by default another one each day")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    mutants = load(options.only)
    if options.sample is not None and options.sample < len(mutants):
        mutants = random.Random(options.seed).sample(mutants, options.sample)
        print(f"{len(mutants)} mutants, drawn with --seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder) / str(number)) for number in range(options.jobs)]
        check_baseline(copies[0], mutants)
        outcomes = run(copies, mutants)
    missed = [outcome for outcome in outcomes if outcome.problem]
    for outcome in missed:
        mutant = outcome.mutant
        print(f"\n{mutant.name}: {outcome.problem}\n  {mutant.reason}\n  {mutant.file}: {mutant.find!r}")
        print(f"  becomes {mutant.replace!r}\n  {' '.join(mutant.tests)}")
    print(f"\n{len(mutants) - len(missed)} of {len(mutants)} mutants were noticed")
    sys.exit(1 if missed else 0)


def run(copies: list[Copy], mutants: list[Mutant]) -> list[Outcome]:
    """Try the mutants, one at a time in each copy, and say each as it ends."""
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        waiting = [pool.submit(_share, copy, mutants[number :: len(copies)]) for number, copy in enumerate(copies)]
        for future in waiting:
            outcomes += future.result()
    return outcomes


def _share(copy: Copy, mutants: list[Mutant]) -> list[Outcome]:
    outcomes = []
    for mutant in mutants:
        outcome = copy.try_out(mutant)
        outcomes.append(outcome)
        verdict = "MISSED " if outcome.problem else "noticed"
        print(f"{verdict} {outcome.seconds:5.1f} s  {mutant.name}: {mutant.reason}", flush=True)
    return outcomes


if __name__ == "__main__":
    main()
