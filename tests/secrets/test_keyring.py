"""Encryption at rest, its keys, and the file that keeps them."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.errors import ConfigurationError, StoreError
from connectory.secrets import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def ring():
    return KeyRing({"k1": NEW})


@given(st.text(), st.text())
def test_what_was_encrypted_comes_back(plain, bound_to):
    ring = KeyRing({"k1": NEW})
    assert ring.decrypt(ring.encrypt(plain, bound_to=bound_to), bound_to=bound_to).reveal() == plain


def test_the_format(ring):
    version, key_id, nonce, sealed = ring.encrypt("hunter22", bound_to="1:x").split(".")
    assert (version, key_id) == ("v1", "k1")
    assert len(base64.urlsafe_b64decode(nonce)) == 12
    assert len(base64.urlsafe_b64decode(sealed + "==")) == len("hunter22") + 16
    assert "hunter22" not in sealed
    assert ring.encrypt("hunter22", bound_to="1:x") != ring.encrypt("hunter22", bound_to="1:x")


def test_a_value_cannot_be_moved_to_another_row(ring):
    with pytest.raises(StoreError, match=r"^2:access_token: .*changed or moved"):
        ring.decrypt(ring.encrypt("x", bound_to="1:access_token"), bound_to="2:access_token")


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value[:-4],
        lambda value: value[:-1] + ("A" if value[-1] != "A" else "Q"),
        lambda value: value.replace("v1.", "v2."),
        lambda value: value.replace(".", ":"),
        lambda value: value + ".x",
        lambda value: "v1.k1.é.é",
        lambda value: "v1.k1..",
        lambda value: "",
    ],
)
def test_a_damaged_value_is_noticed(ring, damage):
    value = ring.encrypt("a longer text, so that no bit of it is padding!", bound_to="1:x")
    with pytest.raises(StoreError, match=r"^1:x: "):
        ring.decrypt(damage(value), bound_to="1:x")


def test_keys_change_one_after_another():
    value = KeyRing({"old": OLD}).encrypt("x", bound_to="1:x")
    both = KeyRing({"new": NEW, "old": OLD})
    assert both.decrypt(value, bound_to="1:x").reveal() == "x"
    assert KeyRing({"new": NEW}).decrypt(both.encrypt("x", bound_to="1:x"), bound_to="1:x").reveal() == "x"
    with pytest.raises(StoreError, match=r"key 'old' .* is missing \(add it to CONNECTORY_KEYS"):
        KeyRing({"new": NEW}).decrypt(value, bound_to="1:x")


def test_another_key_with_the_same_id_opens_nothing():
    value = KeyRing({"k1": OLD}).encrypt("x", bound_to="1:x")
    with pytest.raises(StoreError, match="the key is wrong"):
        KeyRing({"k1": NEW}).decrypt(value, bound_to="1:x")


def entry(key_id, key):
    return f"{key_id}:{base64.b64encode(key).decode()}"


def test_keys_from_the_environment_leave_the_folder_alone(tmp_path):
    ring = KeyRing.load(tmp_path, {"CONNECTORY_KEYS": f" {entry('new', NEW)}, {entry('old', OLD)},"})
    assert ring.encrypt("x", bound_to="").startswith("v1.new.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        "k1:!",
        entry("k1", b"short"),
        entry("k.1", NEW),
        entry("", NEW),
        f"{entry('a', NEW)};{entry('b', NEW)}",
    ],
)
def test_keys_that_are_none(tmp_path, text):
    with pytest.raises(ConfigurationError, match="CONNECTORY_KEYS") as caught:
        KeyRing.load(tmp_path, {"CONNECTORY_KEYS": text})
    assert base64.b64encode(NEW).decode() not in str(caught.value)


def test_a_first_key_is_made_once(tmp_path):
    home = tmp_path / "not" / "there"
    value = KeyRing.load(home, {}).encrypt("x", bound_to="1:x")
    assert KeyRing.load(home, {}).decrypt(value, bound_to="1:x").reveal() == "x"
    assert [path.name for path in home.iterdir()] == ["keys"]
    assert (home / "keys").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_end_with_the_same_key(tmp_path):
    code = """if True:
        import pathlib, sys
        from connectory.secrets import KeyRing
        print("ready", flush=True)
        sys.stdin.readline()
        print(KeyRing.load(pathlib.Path(sys.argv[1]), {}).encrypt("x", bound_to="1:x"))
    """
    command = [sys.executable, "-c", code, tmp_path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    others = [subprocess.Popen(command, **pipes) for _ in range(4)]
    assert {other.stdout.readline() for other in others} == {"ready\n"}
    for other in others:
        other.stdin.write("\n")
        other.stdin.flush()
    values = [other.communicate(timeout=30)[0].strip() for other in others]
    ring = KeyRing.load(tmp_path, {})
    assert {ring.decrypt(value, bound_to="1:x").reveal() for value in values} == {"x"}
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be read or written.*CONNECTORY_KEYS"):
        KeyRing.load(tmp_path / "file", {})


def test_nothing_heavy_is_loaded_before_it_is_needed():
    code = "import sys, connectory.secrets; print({'cryptography', 'requests', 'sqlalchemy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
