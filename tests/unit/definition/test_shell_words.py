"""Commands that are written as one text."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.definition.shell_words import split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()), ("  a  b ", ("a", "b")), ("a 'b c' \"d e\"", ("a", "b c", "d e")), ("a'b'c", ("abc",)), ("'' x", ("", "x")),
        (r"a\ b", ("a b",)), (r"'a\b' \\", (r"a\b", "\\")), ("a && b", ("a",)), ("a 2>&1", ("a",)), ("a; b", ("a",)),
        ("sh -c 'a && b'", ("sh", "-c", "a && b")), ("a $(b c) d", ("a", "$(b c)", "d")), ("a `b c`", ("a", "`b c`")),
    ],
)  # fmt: skip
def test_words(text, words):
    assert split(text) == words


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a `b", "a (b)", "a $(b", "a )"])
def test_what_only_a_shell_could_end_is_refused(text):
    with pytest.raises(ValueError, match=r"quote|parenthesis"):
        split(text)


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=10), max_size=5))
def test_quoted_words_come_back(words):
    assert list(split(shlex.join(words))) == words
