"""The YAML loader: what it refuses, and that every value knows its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from seeder.definition.marked import List
from seeder.definition.scalars import COMPOSE, SEEDER
from seeder.definition.yaml import Document, load, load_all
from seeder.errors import DefinitionError, Problem


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str | bytes, dialect=SEEDER, **options) -> Document:
        file = tmp_path / "file.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(file, dialect, **options)

    return read


@pytest.fixture
def problems(read):
    def problems(text: str | bytes, dialect=SEEDER) -> tuple[Problem, ...]:
        with pytest.raises(DefinitionError) as refused:
            read(text, dialect)
        return refused.value.problems

    return problems


def test_values_know_their_lines(read):
    document = read("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")
    lines = {path: document.mark(path).line for path in [(), ("a", "b"), ("a", "c"), ("a", "c", 1), ("a", "c", 1, "d")]}
    assert lines == {(): 1, ("a", "b"): 2, ("a", "c"): 3, ("a", "c", 1): 5, ("a", "c", 1, "d"): 5}


def test_a_path_that_leads_nowhere_is_placed_at_its_deepest_part(read):
    assert read("a:\n  b:\n    c: 1\n").mark(("a", "b", "x", "y")).line == 2


def test_merged_keys_keep_the_place_where_they_were_written(read):
    document = read("base: &base\n  a: 1\n  b: 2\nmore:\n  <<: *base\n  b: 3\n")
    assert document.data["more"] == {"a": 1, "b": 3}
    assert [document.mark(("more", key)).line for key in ("a", "b")] == [2, 6]


def test_of_several_merged_mappings_the_earlier_wins(read):
    assert read("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n").data["c"] == {"x": 1, "y": 2}


def test_all_repeated_keys_are_reported_at_once(problems):
    found = problems("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert [(p.subject, p.mark.line) for p in found] == [("c", 2), ("a", 3)]
    assert "line 1" in found[1].cause


def test_a_key_of_seeders_files_is_the_text_that_was_written(read):
    assert list(read("0003: a\nno: b\n1.10: c\n").data) == ["0003", "no", "1.10"]


def test_a_key_of_a_compose_file_must_be_text(problems):
    assert [p.subject for p in problems("a: {80: x}\nb: {true: y}\n", COMPOSE)] == ["80", "true"]


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("- a\n", 1, "not a mapping"),
        ("just text\n", 1, "not a mapping"),
        ("a: [1\nb: 2\n", 2, "not YAML"),
        ("a: 1\n---\nb: 2\n", 3, "several documents"),
        ("a: *b\n", 1, "no such anchor"),
        ("a: &a [*a]\n", 1, "inside the value"),
        ("a: !!python/object:os.system x\n", 1, "not known"),
        ("a: !env X\n", 1, "not known"),
        ("a: !!int x\n", 1, "no int"),
        ("a: {<<: 5}\n", 1, "only mappings"),
        ("a: 1\n? [x, y]\n: 2\n", 2, "must be text"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: 1\nb: \x07\n", 2, "not YAML"),
    ],
)
def test_what_is_refused_names_the_line(problems, text, line, cause):
    (problem,) = problems(text)
    assert problem.mark.line == line
    assert cause in problem.cause


def test_a_tab_that_indents_is_named(problems):
    (problem,) = problems("a:\n\tb: 1\n")
    assert problem.mark.line == 2
    assert "spaces" in problem.remedy


def test_a_missing_file_is_a_definition_error(tmp_path):
    with pytest.raises(DefinitionError, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")


def test_a_folder_is_a_definition_error(tmp_path):
    with pytest.raises(DefinitionError, match="cannot be read"):
        load(tmp_path)


def test_a_bomb_of_aliases_is_refused(problems):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "aliases" in problems("\n".join(lines))[0].cause


def test_values_nested_too_deep_are_refused(problems):
    assert "nested" in problems("a: " + "[" * 500 + "]" * 500)[0].cause


def test_a_file_too_large_is_refused(tmp_path):
    file = tmp_path / "large.yaml"
    with file.open("wb") as large:
        large.truncate(65 * 1024 * 1024)
    with pytest.raises(DefinitionError, match="bytes"):
        load(file)


def test_a_byte_order_mark_is_no_content(read):
    assert read(b"\xef\xbb\xbfa: 1\n").data == {"a": 1}


def test_an_anchor_may_be_set_anew(read):
    assert read("a: &x 1\nb: &x 2\nc: *x\n").data == {"a": 1, "b": 2, "c": 2}


def test_a_sequence_can_be_asked_for(read):
    assert read("- {a: 1}\n", top=List).data == [{"a": 1}]


def test_a_compose_file_may_hold_several_documents(tmp_path):
    file = tmp_path / "several.yaml"
    file.write_text("a: 1\n---\nb: 2\n")
    assert [document.data for document in load_all(file, COMPOSE)] == [{"a": 1}, {"b": 2}]
