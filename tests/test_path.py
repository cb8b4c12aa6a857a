"""JSON paths: one dialect, whatever the spelling, in decoded JSON and in text."""

from __future__ import annotations

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory import path as path_module
from connectory.errors import ConfigurationError
from connectory.path import Path

names = st.text(min_size=1, max_size=6) | st.sampled_from(
    ["", "a.b", "a b", "['x']", "$", "$x", "q\"'", "\\", "0", "07"]
)
steps = st.lists(names | st.integers(0, 3).map(str), max_size=4).map(tuple)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab0") | names, inner, max_size=3),
    max_leaves=12,
)


def walk(value, steps):
    """Written as simply as it can be: what `find` has to agree with."""
    for step in steps:
        try:
            value = value[int(step)] if isinstance(value, list) and str(int(step)) == step else value[step]
        except (KeyError, TypeError, IndexError, ValueError):
            return None
    return value


@given(steps)
def test_a_path_is_read_back_from_its_text(found):
    assert Path.parse(str(Path(found))) == Path(found)


@given(names)
def test_the_spellings_with_and_without_the_root_are_equal(name):
    quoted = "['{}']".format(name.replace("\\", "\\\\").replace("'", "\\'"))
    double = '["{}"]'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
    assert {Path.parse(text) for text in (quoted, double, f"${quoted}", f"${double}")} == {Path((name,))}


@pytest.mark.parametrize("text", ["updated", "$.updated", "['updated']", "$['updated']", ' $["updated"] '])
def test_all_spellings_of_a_field_are_equal(text):
    assert Path.parse(text) == Path(("updated",))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a.b", ("a", "b")),
        ("Modified Time", ("Modified Time",)),
        ("$items", ("$items",)),
        ("$items.$total", ("$items", "$total")),
        ("items[0].id", ("items", "0", "id")),
        ("items.0.id", ("items", "0", "id")),
        ("[ 12 ]", ("12",)),
        ("a['b.c']", ("a", "b.c")),
        ("a.['b']", ("a", "b")),
        ("$", ()),
        ("", ()),
    ],
)
def test_the_dialect(text, steps):
    assert Path.parse(text).steps == steps


@pytest.mark.parametrize(
    "text", ["a[", "a]", "a..b", ".a", "a.", "$.", "$..a", "a[b]", "['a", "a['b'c']", "[a]", "['a']b", "[-1]"]
)
def test_a_wrong_path_has_one_clear_message(text):
    with pytest.raises(ConfigurationError) as caught:
        Path.parse(text)
    assert str(caught.value) == f"{text!r} is not a JSON path (write e.g. user.id, items[0].id or ['Modified Time'])"


@given(documents, steps)
def test_find_is_a_walk(document, found):
    assert Path(found).find(document) == walk(document, found)


@given(documents, st.lists(st.sampled_from(["a", "b", "0", "1"]), max_size=3).map(tuple))
def test_find_agrees_with_find_in_the_text(document, found):
    path, body = Path(found), json.dumps(document).encode()
    assert path.find_in(body) == path.find(document) == walk(document, found)


@given(steps, st.integers())
def test_what_is_put_at_a_place_is_found_there(found, value):
    assert Path(found).find(Path(found).put(value)) == value


@pytest.mark.parametrize("body", [b"not json", b"", b'{"a": '])
def test_a_text_that_is_not_json_holds_nothing(body):
    assert Path.parse("a").find_in(body) is None


def test_a_digit_of_another_script_is_not_an_index():
    assert Path(("²",)).find(["a", "b", "c"]) is None


def test_examples_run():
    assert doctest.testmod(path_module).failed == 0
