"""`connectory.testing.sandbox` is another name of `connectory.sandbox` until the first release."""

from __future__ import annotations

import importlib

import pytest

import connectory.sandbox
import connectory.testing.sandbox
from connectory.sandbox.lists import pages

OLD = "connectory.testing.sandbox"


def test_what_is_imported_by_the_old_name_is_the_same_and_names_the_new_one():
    with pytest.warns(DeprecationWarning, match=r"connectory\.testing\.sandbox is now connectory\.sandbox;") as told:
        from connectory.testing.sandbox import Sandbox
    assert Sandbox is connectory.sandbox.Sandbox
    assert told[0].filename == __file__


def test_a_module_of_it_says_where_it_is_now():
    with pytest.warns(DeprecationWarning, match=r"sandbox\.pages is now connectory\.sandbox\.lists\.pages;"):
        from connectory.testing.sandbox.pages import NumberedPages
    assert NumberedPages is pages.NumberedPages


@pytest.mark.parametrize("old", sorted(connectory.testing.sandbox._MOVED))
def test_every_module_that_it_had_is_there(old):
    forward = importlib.import_module(f"{OLD}{old}")
    new = importlib.import_module(f"connectory.sandbox{connectory.testing.sandbox._MOVED[old]}")
    name = next(name for name in vars(new) if name[0].isalpha() and name not in vars(forward))
    with pytest.warns(DeprecationWarning, match=f"is now {new.__name__};"):
        assert getattr(forward, name) is getattr(new, name)


def test_what_it_never_had_it_has_not_now():
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(connectory.testing.sandbox, "nonsense")  # noqa: B009 - the type checker must not look
