"""Files of variables."""

from __future__ import annotations

import pytest

from seeder.definition.dotenv import read_variables
from seeder.errors import Collector


@pytest.fixture
def read(tmp_path):
    def read(text: str, **outer: str):
        file = tmp_path / ".env"
        file.write_text(text, newline="")
        problems = Collector()
        return read_variables(file, outer.get, problems), problems.problems

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=plain text", "plain text"), ("A = around ", "around"), ("A: colon", "colon"), ("export A=x", "x"), ("A=", ""),
        ("A=x # comment", "x"), ("A=x#y", "x#y"), ("A='kept $B \\n'", "kept $B \\n"), ('A="line\\nbreak"', "line\nbreak"),
        ('A="say \\"hi\\""', 'say "hi"'), ("A='it\\'s'", "it's"), ('A="$OUTER"', "o"), ("A=${MISSING:-d}", "d"), ("A=$$x", "$x"),
        ('A="\\$x"', "$x"), ('A="two\nlines"', "two\nlines"), ("A=x\r\nB=y", "x"), ("# c\n\n  A=x", "x"), ("OUTER=mine\nA=$OUTER", "o"),
        ("B=b\nA=$B", "b"), ('A="\\0101"', "A"), ('A="q" # c', "q"),
    ],
)  # fmt: skip
def test_values(read, text, value):
    found, problems = read(text, OUTER="o")
    assert not problems
    assert found["A"] == value


def test_a_name_alone_is_taken_from_outside(read):
    assert read("OUTER\nNOWHERE\nA=1\n", OUTER="o")[0] == {"OUTER": "o", "A": "1"}


@pytest.mark.parametrize("text", ["A=1\nB C=2", "A=1\nB='open", "A=1\n=x", "A=1\nB=${", "A=1\n!x"])
def test_what_is_no_assignment_is_reported_with_its_line(read, text):
    found, (problem,) = read(text)
    assert found == {"A": "1"}
    assert problem.mark.line == 2
