"""The examples in the docstrings of tags and messages are true."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    ["tags", "tags.check", "message.compile", "message.parts"],
)
def test_the_examples_of_the_module_are_true(name):
    results = doctest.testmod(import_module(f"webapp.core.rules.{name}"))
    assert results.attempted and not results.failed
