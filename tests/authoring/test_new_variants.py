"""Each kind of project is in order at once: its style, its types and its tests."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from variants import KINDS, name_of, write_all

from connectory.authoring.new import AUTHS, PAGINGS, Answers, project_files, write_project
from connectory.authoring.new.answers import checked_hub, checked_name, checked_resources, checked_url

PACKAGES, TESTS = "src", "tests"

# The whole contract takes ten seconds a project, so all of it runs for all of them only where it is asked for.
ALL = bool(os.environ.get("CONNECTORY_ALL_VARIANTS"))
OWN = ("test_conditions_become_parameters", "test_the_sandbox_wants")
MEETING = (
    "test_pages_hold_each_record_once",
    "test_new_records_in_mid_scan_lose_nothing",
    "test_created_is_announced_once",
    "test_secrets_are_not_logged",
    "test_probe_is_cheap",
)


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("projects"))


def passes(arguments, **options):
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_a_project_for_every_kind(projects):
    assert len(projects) == len(KINDS) == 42
    assert len({(path / "README.md").read_text() for path in projects.values()}) == 42


def test_their_style_is_in_order(projects, tmp_path):
    folder = next(iter(projects.values())).parent
    passes(["ruff", "check", "--no-cache", str(folder)])
    passes(["ruff", "format", "--no-cache", "--check", str(folder)])


@pytest.mark.parametrize("name", ["a", "the-longest-name-that-passes"])
@pytest.mark.parametrize("count", [1, 3, 9])
def test_their_style_is_in_order_whatever_their_names(name, count, tmp_path):
    resources = [f"the-longest-resource-name-{number:02}" for number in range(count)]
    for place, (auth, paging) in enumerate(
        [*((auth, "keyset") for auth in AUTHS), *(("hmac", one) for one in PAGINGS)]
    ):
        url = f"https://{'a' * 40}.example:8443/{'b' * 30}" if count > 1 else "https://a.example"
        answers = Answers(
            name=checked_name(name),
            url=checked_url(url),
            auth=auth,
            paging=paging,
            resources=checked_resources(resources),
            hub=checked_hub("the-longest-hub-that-is-here"),
        )
        write_project(project_files(answers), tmp_path / str(place))
    passes(["ruff", "check", "--no-cache", str(tmp_path)])
    passes(["ruff", "format", "--no-cache", "--check", str(tmp_path)])


@pytest.mark.timeout(300)
def test_their_types_are_in_order(projects, tmp_path):
    paths = [str(path / part) for path in projects.values() for part in (PACKAGES, TESTS)]
    passes(["mypy", "--strict", "--cache-dir", str(tmp_path), *paths], cwd=tmp_path)


def run_tests(projects, kinds, folder, *options):
    """Run the projects' own tests, all in one process: how many passed."""
    packages = os.pathsep.join(str(path / PACKAGES) for path in projects.values())
    # The configuration of the first serves for all: it is the same in each.
    settings = ["-c", str(projects[KINDS[0]] / "pyproject.toml"), "--rootdir", str(folder), "-p", "no:cacheprovider"]
    tests = [str(projects[kind] / TESTS) for kind in kinds]
    environment = os.environ | {"PYTHONPATH": packages}
    told = passes(["pytest", "-q", *settings, *options, *tests], cwd=folder, env=environment)
    return int(re.search(r"(\d+) passed", told)[1])


@pytest.mark.timeout(3600 if ALL else 600)
def test_their_tests_pass(projects, tmp_path):
    """The whole contract, for every kind of auth and every kind of paging at least once."""
    kinds = KINDS if ALL else list(zip(itertools.cycle(AUTHS), PAGINGS, strict=False))
    assert run_tests(projects, kinds, tmp_path) > 100 * len(kinds)


@pytest.mark.timeout(600)
def test_the_meeting_of_auth_and_paging_is_tested(projects, tmp_path):
    """In all projects: their own tests, and what auth and paging have to do with each other."""
    chosen = " or ".join([*OWN, *MEETING])
    passed = run_tests(projects, KINDS, tmp_path, "-k", f"not customers and ({chosen})")
    # Where everything comes at once, there is no paging to look at.
    assert passed >= (len(OWN) + len(MEETING)) * (len(KINDS) - len(AUTHS))


def test_nothing_of_another_kind_is_in_a_project(projects):
    for (auth, paging), path in projects.items():
        text = "".join(file.read_text() for file in path.rglob("*.py"))
        assert ("OAuth2" in text) == (auth == "oauth2")
        assert ("hmac.new" in text) == (auth == "hmac")
        assert ("SecretField" in text) == (auth != "oauth2")
        assert ("total_in_body" in text) == (paging in {"offset", "page-number"})
        assert ("Keyset(" in text) == (paging == "keyset")
        assert "$" not in text.replace("'${{gmtDate:{STAMP}}}'", "")


RUN = [
    ("oauth2", "cursor"),
    ("bearer", "none"),
    ("api-key-query", "next-link"),
    ("basic", "offset"),
    ("hmac", "keyset"),
]


@pytest.mark.timeout(180)
def test_they_run_against_their_sandboxes(projects, tmp_path):
    """All at once: each waits more than it works."""
    started = [(kind, start_run(projects[kind], name_of(*kind), tmp_path / name_of(*kind))) for kind in RUN]
    for kind, process in started:
        told, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (kind, errors)
        summary = json.loads(told.splitlines()[-1])
        announced = sum(row[type_] for row in summary["resources"] for type_ in ("created", "updated", "deleted"))
        assert 0 < announced == sum(row["delivered"] for row in summary["resources"]), kind
        assert summary["pendingDeliveries"] == 0


def start_run(project, name, folder):
    """`connect run` with the project as good as installed: its package and its metadata are on the path."""
    metadata = folder / f"connectory_{name.replace('-', '_')}-0.1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: connectory-{name}\nVersion: 0.1.0\n")
    entries = tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"]["connectory"]
    (metadata / "entry_points.txt").write_text(f"[connectory]\n{name} = {entries[name]}\n")
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{project / PACKAGES}"}
    command = [sys.executable, "-m", "connectory", "run", name, "--sandbox", "--for", "16s", "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
