"""The reference is what the code says, and every public name of the kit says what it is, with an example that runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import generate
import pytest

import connectory
import connectory.sandbox as sandbox
import connectory.testing
from connectory.plugins.compatibility import hook_names

NAMES = {name: f"connectory.{generate.connectory_home(name)}" for name in generate.names()}
SANDBOX = {name: generate.sandbox_home(name) for name in sandbox.__all__}

# Kinds of errors: one example, in the docstring of their root, shows them all.
ERRORS = {
    "AuthenticationError",
    "ConfigurationError",
    "NotFoundError",
    "PluginError",
    "ProviderError",
    "QueryError",
    "RetryLaterError",
}
# No class and no function: what they are stands below their assignment, and the examples of others use them.
VALUES = {"Config", "Endpoint", "Params", "hookimpl", "Handler", "KINDS", "Row", "Step"}


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_the_reference_is_fresh(name):
    assert (generate.FOLDER / name).read_text() == generate.pages()[name], "stale: run `make docs`"


def test_every_hook_rule_and_name_is_in_the_reference():
    pages = generate.pages()
    assert all(f"\n## {name}\n" in pages["hooks.md"] for name in hook_names())
    assert all(f"\n### {name}\n" in pages["parts.md"] for name in NAMES)
    assert all(f"\n### {name}\n" in pages["sandbox.md"] for name in SANDBOX)


@pytest.mark.parametrize(("name", "module"), [*NAMES.items(), *SANDBOX.items()])
def test_a_public_name_says_what_it_is_with_an_example(name, module):
    value = getattr(connectory, name) if name in NAMES else getattr(sandbox, name)
    if name in VALUES:
        assert not inspect.isclass(value)
        assert not inspect.isfunction(value)
        assert generate.attribute_doc(module, name)
        return
    text = value.__doc__ or ""
    assert text, "it has no docstring"
    assert not text.startswith(f"{name}("), "it has the docstring that dataclasses make up"
    if name in ERRORS:
        assert issubclass(value, connectory.ConnectoryError)
        return
    assert doctest.DocTestParser().get_examples(text), "its docstring has no example that runs"


@pytest.mark.parametrize("name", connectory.testing.__all__)
def test_a_name_of_the_kit_says_what_it_is_with_an_example(name):
    value = getattr(connectory.testing, name)
    assert value.__doc__
    # The contract's example is a test class, in its module: tests/testing/test_acme_contract.py runs one like it.
    text = value.__doc__ + (inspect.getmodule(value).__doc__ or "")
    assert doctest.DocTestParser().get_examples(text) or "class Test" in text


def test_the_exceptions_from_the_rule_are_public_names():
    assert NAMES.keys() | SANDBOX.keys() >= ERRORS | VALUES


def _modules() -> list[str]:
    found = pkgutil.walk_packages(connectory.__path__, "connectory.")
    return sorted(one.name for one in found if not re.search(r"\.migrations|\.__main__$", one.name))


@pytest.mark.parametrize("module", _modules())
def test_the_examples_run(module):
    ran = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert ran.failed == 0
