"""Each kind of project is in order at once: its style, its types and its tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from variants import KINDS, write_all

from connectory.authoring.new import AUTHS, PAGINGS, Answers, project_files, write_project
from connectory.authoring.new.answers import checked_hub, checked_name, checked_resources, checked_url

PACKAGES, TESTS = "src", "tests"


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


@pytest.mark.timeout(300)
def test_their_tests_pass(projects, tmp_path):
    packages = os.pathsep.join(str(path / PACKAGES) for path in projects.values())
    tests = [str(path / TESTS) for path in projects.values()]
    # The configuration of the first serves for all: it is the same in each.
    settings = ["-c", str(projects[KINDS[0]] / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": packages}
    told = passes(["pytest", "-q", *settings, *tests], cwd=tmp_path, env=environment)
    assert " passed" in told
    assert "failed" not in told
    assert "skipped" not in told


def test_nothing_of_another_kind_is_in_a_project(projects):
    for (auth, paging), path in projects.items():
        text = "".join(file.read_text() for file in path.rglob("*.py"))
        assert ("OAuth2" in text) == (auth == "oauth2")
        assert ("hmac.new" in text) == (auth == "hmac")
        assert ("SecretField" in text) == (auth != "oauth2")
        assert ("total_in_body" in text) == (paging in {"offset", "page-number"})
        assert ("Keyset(" in text) == (paging == "keyset")
        assert "$" not in text.replace("'${{gmtDate:{STAMP}}}'", "")
