"""Variables in compose files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seeder.definition.interpolate import Filling, Invalid, interpolate
from seeder.definition.scalars import COMPOSE
from seeder.definition.yaml import load
from seeder.errors import Collector

VARIABLES = {"SET": "s", "EMPTY": ""}
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
WORDS = st.text(st.characters(exclude_characters="${}\n", exclude_categories=["C"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"), ("$SET", "s"), ("${SET}", "s"), ("$NOT", ""), ("$$SET", "$SET"), ("a$1 $", "a$1 $"), ("$SETx ${SET}x", " sx"),
        ("${NOT:-d}", "d"), ("${NOT-d}", "d"), ("${EMPTY:-d}", "d"), ("${EMPTY-d}", ""), ("${SET:-d}", "s"),
        ("${SET:+r}", "r"), ("${EMPTY:+r}", ""), ("${EMPTY+r}", "r"), ("${NOT+r}", ""),
        ("${SET:?m}", "s"), ("${EMPTY?m}", ""),
        ("${NOT:-${EMPTY:-${SET}}}", "s"), ("${NOT:-a $SET b}", "a s b"), ('${NOT:-{"a":{}}}', '{"a":{}}'), ("${NOT:-$$}", "$"),
        ("${NOT:-a:?b}", "a:?b"), ("${SET}}", "s}"), ("${NOT:-}", ""),
    ],
)  # fmt: skip
def test_forms(text, result):
    assert interpolate(text, VARIABLES.get) == result


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("${NOT:?tell me}", "NOT is needed and missing: tell me"),
        ("${NOT?}", "NOT is needed and missing"),
        ("${EMPTY:?}", "EMPTY is needed"),
        ("${SET:-${NOT:?inner}}", "inner"),
        ("${}", "names no variable"),
        ("${1}", "names no variable"),
        ("${SET.x}", "no known form"),
        ("${SET!}", "no known form"),
        ("${SET", "no closing brace"),
        ("${SET:-a\nb}", "no closing brace"),
    ],
)
def test_what_is_no_form_is_refused(text, cause):
    with pytest.raises(Invalid, match=cause):
        interpolate(text, VARIABLES.get)


def test_nesting_without_end_is_refused():
    with pytest.raises(Invalid, match="nested"):
        interpolate("${A:-" * 500 + "}" * 500, VARIABLES.get)


@given(NAMES, st.one_of(st.none(), WORDS), WORDS)
def test_every_operator_follows_its_rule(name, value, word):
    lookup = {name: value}.get
    present, filled = value is not None, bool(value)
    assert interpolate(f"${{{name}-{word}}}", lookup) == (value if present else word)
    assert interpolate(f"${{{name}:-{word}}}", lookup) == (value if filled else word)
    assert interpolate(f"${{{name}+{word}}}", lookup) == (word if present else "")
    assert interpolate(f"${{{name}:+{word}}}", lookup) == (word if filled else "")


@given(st.text(max_size=40))
def test_text_with_its_dollars_doubled_is_itself(text):
    assert interpolate(text.replace("$", "$$"), {}.get) == text


@given(st.text(st.sampled_from("$${}AB:-+? "), max_size=30))
def test_any_text_gives_a_result_or_a_cause(text):
    with contextlib.suppress(Invalid):
        assert isinstance(interpolate(text, {"A": "a"}.get), str)


def test_all_values_of_a_file_are_filled_in_and_all_problems_told(tmp_path: Path):
    file = tmp_path / "compose.yaml"
    file.write_text("a: ${SET}\nb:\n  - ${ONE:?}\n  - {c: '${TWO:?why}', $SET: 5}\n")
    problems = Collector()
    data = Filling(VARIABLES.get, problems).data(load(file, COMPOSE).data)
    assert data["a"] == "s"
    assert data["b"][1]["$SET"] == 5  # keys stay, numbers too
    assert [(p.subject, p.mark.line) for p in problems.problems] == [("b[0]", 3), ("b[1].c", 4)]


def test_what_is_needed_and_missing_can_be_read_as_empty_and_told_apart(tmp_path: Path):
    file = tmp_path / "compose.yaml"
    file.write_text("a: x${ONE:?why}y${TWO:?}\nb: ${SET:-${ONE?}}\nc: ${SET\n")
    problems, lacking = Collector(), []
    data = Filling(VARIABLES.get, problems, lacking).data(load(file, COMPOSE).data)
    assert (data["a"], data["b"]) == ("xy", "s")
    assert [(p.subject, p.mark.line) for p in lacking] == [("a", 1), ("a", 1), ("b", 2)]
    assert ["no closing brace" in p.cause for p in problems.problems] == [True]
