"""`connect plugin new`: what it asks, writes and says, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from connectory.authoring.new import AUTHS, PAGINGS, Answers, project_files, write_project
from connectory.cli.app import app
from connectory.errors import ConfigurationError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["plugin", "new", *arguments])


def names_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


FILES = [
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "src/connectory_demo/__init__.py",
    "src/connectory_demo/py.typed",
    "src/connectory_demo/sandbox.py",
    "tests/test_demo.py",
]


def test_it_writes_a_project_and_says_what_comes_next(here):
    done = run("demo", "--no-input")
    assert done.exit_code == 0, done.output
    assert names_below(here / "demo") == FILES
    assert all(name in done.stdout for name in FILES)
    said = done.stdout.partition("What comes next:\n")[2].splitlines()
    assert said == ["  cd demo", "  pip install -e '.[test]'", "  pytest", "  connect run demo --sandbox"]


def test_the_project_says_who_it_is(here):
    assert run("acme-shop", "--no-input").exit_code == 0
    project = tomllib.loads((here / "acme-shop/pyproject.toml").read_text())["project"]
    assert project["name"] == "connectory-acme-shop"
    assert project["entry-points"]["connectory"] == {"acme-shop": "connectory_acme_shop"}
    assert project["dependencies"] == ["connectory>=0.1"]


def test_options_say_everything(here):
    done = run(
        *["shop", "--url", "http://127.0.0.1:8080/api/v2/", "--auth", "hmac", "--paging", "keyset", "--hub", "finance"],
        *["--resource", "orders", "--resource", "order-lines", "--into", "deep/in/it", "--json"],
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["directory"] == "deep/in/it"
    assert said["next"][0] == "cd deep/in/it"
    assert said["resources"] == ["orders", "order-lines"]
    assert sorted(said["files"]) == names_below(here / "deep/in/it")
    plugin = (here / "deep/in/it/src/connectory_shop/__init__.py").read_text()
    for text in ('"http://127.0.0.1:8080"', 'at("/api/v2")', 'resource("order-lines")', "/hubs/finance/", "Keyset("):
        assert text in plugin


def test_json_names_what_there_is_by_default(here):
    said = json.loads(run("demo", "--json").stdout)
    assert (said["auth"], said["paging"], said["resources"]) == ("oauth2", "page-number", ["orders", "customers"])


def test_an_empty_directory_will_do(here):
    done = run("demo", "--no-input", "--directory", ".")
    assert done.exit_code == 0
    assert names_below(here) == FILES
    assert "cd " not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "where", "told"),
    [
        (["Demo"], "NAME", "lower-case letters and digits"),
        (["2demo"], "NAME", "a letter first"),
        (["a_b"], "NAME", "single hyphens"),
        (["a--b"], "NAME", "single hyphens"),
        (["démo"], "NAME", "lower-case letters and digits"),
        (["../demo"], "NAME", "lower-case letters and digits"),
        ([""], "NAME", "lower-case letters and digits"),
        (["x" * 29], "NAME", "at most 28 characters"),
        (["connectory-demo"], "NAME", "use 'demo'"),
        (["servicenowoauth"], "NAME", "already installed"),
        (["sageone"], "NAME", "of the plugin 'sageone'"),
        (["demo", "--auth", "kerberos"], "--auth", ", ".join(AUTHS)),
        (["demo", "--paging", "scroll"], "--paging", ", ".join(PAGINGS)),
        (["demo", "--url", "api.example.com"], "--url", "https://api.example.com/v1"),
        (["demo", "--url", "ftp://api.example.com"], "--url", "not a valid address"),
        (["demo", "--url", "https://user:pw@api.example.com"], "--url", "only scheme, host and path"),
        (["demo", "--url", "https://api.example.com/v1?key=1"], "--url", "only scheme, host and path"),
        (["demo", "--url", "https://api.example.com:99999/v1"], "--url", "not a valid address"),
        (["demo", "--url", 'https://api.example.com/"""'], "--url", "not a valid address"),
        (["demo", "--url", f"https://api.example.com/{'x' * 100}"], "--url", "at most 100 characters"),
        (["demo", "--url", "http://api.example.com"], "--url", "use https"),
        (["demo", "--resource", "Orders!"], "--resource", "lower-case letters and digits"),
        (["demo", "--resource", "orders", "--resource", "orders"], "--resource", "named twice"),
        (["demo", "--resource", " "], "--resource", "name one"),
        (["demo", "--hub", "a b"], "--hub", "lower-case letters and digits"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(here, arguments, where, told):
    for more in (["--no-input"], ["--json"]):
        done = run(*arguments, *more)
        assert done.exit_code == 2, done.output
        assert f"error: {where}: " in done.stderr
        assert told in done.stderr
        assert list(here.iterdir()) == []
    assert json.loads(done.stdout)["kind"] == "error"


def test_a_directory_with_something_in_it_is_refused(here):
    (here / "demo").mkdir()
    (here / "demo/mine.txt").write_text("mine")
    done = run("demo", "--no-input")
    assert done.exit_code == 2
    assert "the directory demo is not empty" in done.stderr
    assert names_below(here) == ["demo/mine.txt"]


@pytest.mark.parametrize("into", ["taken", "taken/below", "dangling", "loop/below"])
def test_what_is_no_directory_is_refused(here, into):
    (here / "taken").write_text("mine")
    (here / "dangling").symlink_to("nowhere")
    (here / "loop").symlink_to("loop")
    done = run("demo", "--no-input", "--into", into)
    assert done.exit_code == 2, done.output
    assert "error: --into: " in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["dangling", "loop", "taken"]


def test_a_place_that_cannot_be_written_is_named(here):
    done = run("demo", "--no-input", "--into", "/proc/1/demo")
    assert done.exit_code == 2
    assert "/proc/1/demo" in done.stderr


@pytest.mark.parametrize("existed", [True, False])
def test_nothing_half_written_is_left(tmp_path, existed):
    files = project_files(Answers(name="demo", url="https://api.demo.example"))
    directory = tmp_path / "new" / "demo"
    if existed:
        directory.mkdir(parents=True)
    # A file where a directory must be: the disk's own refusal, in the middle of the work.
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_project({**files, "README.md/inside": ""}, directory)
    assert list(tmp_path.rglob("*")) == ([tmp_path / "new", directory] if existed else [])


def test_an_interrupted_write_leaves_nothing(tmp_path):
    class Interrupted(dict):
        def items(self):
            yield "first", "text"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_project(Interrupted(), tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_a_quarantined_plugin_keeps_its_name(here, monkeypatch):
    from connectory.plugins import PluginInfo, Plugins

    load = Plugins.load()
    broken = PluginInfo(name="broken", distribution="connectory-broken", quarantined="its import failed")
    monkeypatch.setattr(load, "infos", lambda: [broken])
    monkeypatch.setattr(Plugins, "load", lambda only=None: load)
    done = run("broken", "--no-input")
    assert done.exit_code == 2
    assert "a plugin 'broken' is already installed" in done.stderr


def test_the_help_names_every_kind():
    said = " ".join(run("--help").stdout.replace("│", " ").split())
    for kind in (*AUTHS, *PAGINGS):
        assert kind in said


def converse(arguments, answers, cwd):
    """Talks to the command on a terminal of its own: gives an answer after each question; returns what was shown."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "connectory", "plugin", "new", *arguments]
    environment = os.environ | {"TERM": "dumb", "COLUMNS": "200"}
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, cwd=cwd, env=environment) as asked:
        os.close(follower)
        shown, waiting = "", list(answers)
        while select.select([leader], [], [], 60)[0]:
            try:
                piece = os.read(leader, 4096).decode()
            except OSError:  # the terminal is gone with the process
                break
            shown += piece
            if shown.endswith("]: ") and waiting:
                os.write(leader, f"{waiting.pop(0)}\n".encode())
                shown += "\n"
    os.close(leader)
    assert not waiting
    return asked.returncode, shown


def test_on_a_terminal_it_asks_and_asks_again(tmp_path):
    status, shown = converse(
        ["demo", "--hub", "crm"],
        ["api.example.com", "https://api.example.com/v2", "kerberos", "basic", "offset", "Deals", "deals, people"],
        tmp_path,
    )
    assert status == 0, shown
    assert "scheme, host and path" in shown
    assert "choose one of oauth2" in shown
    assert AUTHS["hmac"].label in shown
    assert "lower-case letters" in shown
    assert "Kind of system" not in shown
    plugin = (tmp_path / "demo/src/connectory_demo/__init__.py").read_text()
    for text in ('"https://api.example.com"', 'at("/v2")', "BasicAuth(", "Offset(", '"deals"', '"people"', 'hub="crm"'):
        assert text in plugin


def test_on_a_terminal_return_takes_what_is_offered(tmp_path):
    status, shown = converse(["demo"], [""] * 5, tmp_path)
    assert status == 0, shown
    written = {path: (tmp_path / "demo" / path).read_text() for path in FILES}
    assert written == project_files(Answers(name="demo", url="https://api.demo.example/v1"))


def test_who_breaks_off_gets_nothing(tmp_path):
    status, shown = converse(["demo"], ["", "", "\x04"], tmp_path)
    assert status != 0
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []
