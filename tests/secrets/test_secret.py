"""A secret shows itself to nobody who does not ask."""

from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from connectory.secrets import Secret, reveal


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, lambda s: f"{s!r}", lambda s: f"{[s]}"])
def test_a_secret_does_not_print(show):
    assert "hunter22" not in show(Secret("hunter22"))
    assert "********" in show(Secret("hunter22"))


def test_a_secret_is_revealed_on_request_only():
    assert Secret("hunter22").reveal() == "hunter22"
    assert [reveal(value) for value in (Secret("a"), "b", None)] == ["a", "b", ""]
    assert not hasattr(Secret("hunter22"), "__dict__")


def test_secrets_compare_with_secrets():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"): 1}[Secret("a")] == 1
    assert Secret("\ud800") != Secret("a")
    assert (bool(Secret("")), bool(Secret("a"))) == (False, True)


def test_a_secret_is_not_pickled_and_not_encoded_by_accident():
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps({"token": Secret("hunter22")})
    with pytest.raises(TypeError):
        json.dumps(Secret("hunter22"))


def test_a_secret_is_copied_as_itself():
    secret = Secret("hunter22")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_traceback_with_its_locals_shows_nothing():
    secret = Secret("hunter22")
    try:
        raise ValueError(f"wrong: {secret}")
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "********" in shown
    assert "hunter22" not in shown.replace('Secret("hunter22")', "")
