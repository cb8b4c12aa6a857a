"""`connect plugin check`: what it finds behind a path or a name, what it prints, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from projects import write
from typer.testing import CliRunner

from connectory.authoring.check import Tier, open_subject, run_contract
from connectory.authoring.check.contract import contract_classes
from connectory.authoring.check.project import read_project
from connectory.cli.app import app
from connectory.errors import ConfigurationError

CODE = "src/MODULE/__init__.py"
PLUGINS = Path(__file__).parents[2] / "plugins"


def run(*arguments, code=0):
    done = CliRunner().invoke(app, ["plugin", "check", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def as_json(*arguments, code=0):
    return json.loads(run(*arguments, "--json", code=code).stdout)


def test_a_project_that_is_not_installed(tmp_path):
    project = write(tmp_path)
    before = set(sys.modules), list(sys.path)
    report = as_json(project)
    assert (report["tier"], report["elements"], report["version"]) == ("platinum", ["demo"], "1.0")
    assert report["contract"] == "1 passed, 0 failed, 0 skipped"
    assert {rule["state"] for rule in report["rules"]} <= {"met", "not applicable"}
    assert list(sys.path) == before[1]
    assert not [name for name in set(sys.modules) - before[0] if name.startswith("demo_")]


def test_the_directory_that_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path))
    assert as_json("--no-tests")["plugin"] == "demo"


def test_without_its_tests_a_plugin_is_bronze_at_most(tmp_path):
    done = run(write(tmp_path), "--no-tests")
    assert "bronze" in done.stdout.splitlines()[0]
    assert "not run (--no-tests), so the tier is bronze at most" in done.stdout
    assert "silver    not checked     contract-passed" in done.stdout


def test_plain_lines_say_why_and_what_to_do(tmp_path):
    project = write(tmp_path, {CODE: [("demo_key = SecretField", "demo_key = fields.String")]})
    lines = run(project, "--no-tests", code=1).stdout.splitlines()
    place = lines.index("bronze    not met         secrets-marked: Secrets are marked")
    assert lines[place + 1] == "    demo.api.key is not marked as a secret"
    assert lines[place + 2].startswith("    why: Only marked values are encrypted")
    assert lines[place + 3].startswith("    cure: Use connectory.schemas.SecretField")
    assert lines[0].endswith(": none")
    assert "readme" not in "\n".join(lines)
    assert "bronze    met             readme" in run(project, "--no-tests", "--all", code=1).stdout


@pytest.mark.parametrize(("required", "code"), [("none", 0), ("bronze", 0), ("silver", 1), ("platinum", 1)])
def test_a_required_tier(tmp_path, required, code):
    run(write(tmp_path), "--no-tests", "--require", required, code=code)


def test_a_plugin_below_bronze_ends_with_1(tmp_path):
    assert as_json(write(tmp_path, {"README.md": ""}), "--no-tests", code=1)["tier"] == "none"


# What cannot be looked at

PYPROJECT = "[project]\nname = 'x'\nversion = '1'\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "it has no pyproject.toml"),
        ({"pyproject.toml": "[project\n"}, "the file is not TOML"),
        ({"pyproject.toml": "project = 3\n"}, "'project' is not a table"),
        ({"pyproject.toml": PYPROJECT}, "no entry point in the group 'connectory'"),
        (
            {"pyproject.toml": PYPROJECT + "[project.entry-points.connectory]\nx = 'no_such_module_here'\n"},
            "is quarantined: its import failed: ModuleNotFoundError",
        ),
        (
            {"pyproject.toml": PYPROJECT + "[project.entry-points.connectory]\nx = 'm1'\ny = 'm2'\n"},
            "choose one with --entry: x, y",
        ),
        (
            {"pyproject.toml": PYPROJECT + "[project.entry-points.connectory]\nx = 'json'\n"},
            "not from this project",
        ),
    ],
)
def test_bad_projects(tmp_path, files, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = run(tmp_path, code=2)
    assert said in done.stderr


def test_bad_targets(tmp_path):
    file = tmp_path / "plugin.py"
    file.write_text("")
    assert "this is a file" in run(file, code=2).stderr
    assert "there is no such directory" in run(tmp_path / "nowhere", code=2).stderr
    assert "no plugin is called 'nobody'" in run("nobody", code=2).stderr
    assert "there is no entry point 'other'" in run(write(tmp_path), "--entry", "other", code=2).stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def connect_build_auth", "def connect_biuld_auth", "did you mean connect_build_auth"),
        ("tokens: Any", "token: Any", "{'token'}"),
        ("connectory_api = 2", "connectory_api = 99", "upgrade Connectory"),
        ("from marshmallow", "raise ImportError('left_pad')\nfrom marshmallow", "left_pad"),
    ],
)
def test_a_quarantined_plugin_is_named_with_the_reason(tmp_path, old, new, said):
    done = run(write(tmp_path, {CODE: [(old, new)]}), "--json", code=2)
    error = json.loads(done.stdout)
    assert "the plugin 'demo' is quarantined" in error["message"]
    assert said in error["message"]


# Installed plugins


@pytest.mark.parametrize("name", ["servicenowoauth", "connectory-servicenow", "connectory_servicenow"])
def test_an_installed_plugin_by_its_name(name):
    report = as_json(name, "--no-tests")
    assert (report["plugin"], report["distribution"]) == ("servicenowoauth", "connectory-servicenow")


def test_a_plugin_that_is_installed_without_its_project(tmp_path, monkeypatch):
    """As from a wheel: what its metadata do not hold is not checked, and said so."""
    project = write(tmp_path)
    site, info = project / "src", project / "src" / "x-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: connectory-installed\nVersion: 1.0\nSummary: Orders.\nRequires-Python: >=3.11\n"
        f"License-Expression: MIT\nRequires-Dist: connectory>=0.1\n\n{(project / 'README.md').read_text()}"
    )
    (info / "entry_points.txt").write_text(f"[connectory]\ndemo = {project.name}\n")
    monkeypatch.syspath_prepend(str(site))
    report = as_json("connectory-installed")
    assert report["tier"] == "bronze"
    assert report["contract"].startswith("its tests are not installed")
    open_rules = {
        rule["id"]: rule["state"] for rule in report["rules"] if rule["state"] not in {"met", "not applicable"}
    }
    assert open_rules == dict.fromkeys(("contract-inherited", "contract-passed", "contract-whole"), "not checked")
    monkeypatch.setenv("CONNECTORY_PLUGINS", "demo,gone")
    assert "'gone' is quarantined" in run("gone", code=2).stderr


# The contract's tests


FAILING = """\
    def test_ties(self) -> None:
        raise AssertionError("two records were lost\\n\\ncure: widen the bound by one unit")

    def test_skipped(self) -> None:
        pytest.skip("no deletes")

    def test_one(self) -> None:
"""


def with_tests(tmp_path, *changes):
    return read_project(write(tmp_path, {"tests/test_demo.py": list(changes)}))


def test_a_failing_contract_names_the_tests_and_their_cures(tmp_path):
    failing = (
        "    def test_one(self) -> None:\n",
        FAILING,
    )
    ran = run_contract(
        with_tests(tmp_path, failing, ("class ElementContract", "import pytest\n\n\nclass ElementContract"))
    )
    assert (ran.problem, ran.passed, ran.skipped) == (None, 1, 1)
    assert ran.failures == ("test_ties: widen the bound by one unit",)


def test_tests_that_cannot_run_are_no_success(tmp_path):
    ran = run_contract(
        with_tests(tmp_path, ("class ElementContract", "import no_such_module\n\n\nclass ElementContract"))
    )
    assert ran.is_broken
    assert "no_such_module" in ran.problem
    report = as_json(
        write(tmp_path, {"tests/test_demo.py": [("class E", "import no_such_module\n\n\nclass E")]}), code=1
    )
    assert report["tier"] == "bronze"


def test_a_project_without_contract_tests(tmp_path):
    project = read_project(write(tmp_path, {"tests/test_demo.py": None}))
    assert contract_classes(project) == []
    assert run_contract(project).problem == "no test class inherits ElementContract"


def test_contract_classes_are_found_by_what_they_inherit(tmp_path):
    tests = (
        "import connectory.testing\n\nclass Base(connectory.testing.ElementContract):\n    element: str = 'base'\n\n"
        "class TestA(Base):\n    element = 'a'\n\n    def test_own(self): pass\n\nclass TestOther: pass\n\n"
        "class TestB(Base): pass\n"
    )
    project = read_project(write(tmp_path, {"tests/test_demo.py": tests, "tests/test_broken.py": "def ("}))
    assert [(one.name, one.element, one.overridden) for one in contract_classes(project)] == [
        ("TestA", "a", ("test_own",)),
        ("TestB", "base", ()),
    ]


def test_only_a_project_that_has_tests_elsewhere_says_where(tmp_path):
    other = tmp_path / "elsewhere" / "test_it.py"
    other.parent.mkdir()
    other.write_text("class TestDemo(ElementContract):\n    element = 'demo'\n")
    extra = '\n[tool.connectory]\ntests = ["../elsewhere"]\n\n[project.entry-points'
    project = write(tmp_path, {"pyproject.toml": [("\n[project.entry-points", extra)]})
    assert [one.file for one in contract_classes(read_project(project))] == [other]


# This project's own plugins


@pytest.mark.parametrize("name", ["servicenow", "sageone"])
def test_our_plugins_meet_every_rule_that_needs_no_tests(name):
    report = as_json(PLUGINS / name, "--no-tests")
    wrong = {rule["id"]: rule["details"] for rule in report["rules"] if rule["state"] == "not met"}
    assert {rule_id: wrong[rule_id] for rule_id in wrong if not rule_id.startswith("contract-")} == {}


def test_the_tiers_are_in_order():
    assert [tier.title for tier in Tier] == ["none", "bronze", "silver", "gold", "platinum"]
    with pytest.raises(ConfigurationError), open_subject("no/such/place"):
        raise AssertionError("nothing was found, and yet something was opened")
