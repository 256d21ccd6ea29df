"""What a model refuses, as problems with places and remedies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from seeder.definition.extension import Strict
from seeder.definition.validation import validated
from seeder.definition.yaml import load
from seeder.errors import Collector, Problem


class Part(Strict):
    size: int | None = None
    as_: str = Field("", alias="as")


class Whole(Strict):
    name: str
    parts: list[Part] = Field([])
    named: dict[str, Part | int] = Field({})
    kind: Literal["a", "b"] = "a"


@pytest.fixture
def problems(tmp_path: Path):
    def problems(text: str) -> list[Problem]:
        file = tmp_path / "file.yaml"
        file.write_text(text)
        found = Collector()
        result = validated(Whole, load(file).data, found, subject="top", later=["soon", "parts.0.later"])
        assert (result is None) == bool(found.problems)
        return found.problems

    return problems


def test_what_is_right_has_no_problems(problems):
    assert problems("name: x\nparts: [{size: 1, as: y}]\nnamed: {a: 1, b: {size: 2}}\n") == []


@pytest.mark.parametrize(
    ("text", "subject", "line", "cause", "remedy"),
    [
        ("name: x\nknd: a\n", "top.knd", 2, "no such key", "did you mean 'kind'?"),
        ("name: x\nparts:\n  - {sise: 1}\n", "top.parts.0.sise", 3, "no such key", "did you mean 'size'?"),
        ("name: x\nparts:\n  - {a: 1}\n", "top.parts.0.a", 3, "no such key", "did you mean 'as'?"),
        ("name: x\nnamed:\n  one:\n    siz: 1\n", "top.named.one.siz", 4, "no such key", "did you mean 'size'?"),
        ("kind: a\n", "top.name", 1, "needed and missing", "add it"),
        ("kind: a\nname: 1.10\n", "top.name", 2, "unquoted number", "put it in quotes"),
        ("name: true\n", "top.name", 1, "unquoted true or false", "put it in quotes"),
        ("name: x\nparts: {}\n", "top.parts", 2, "a list is needed, not a mapping", ""),
        ("name: x\nparts:\n- text\n", "top.parts.0", 3, "a mapping is needed, not text", ""),
        ("name: x\nkind: c\n", "top.kind", 2, "'c' is not among 'a' or 'b'", ""),
        ("name: x\nsoon: 1\n", "top.soon", 2, "not supported yet", "remove the key"),
        ("name: x\nparts: [{later: 1}]\n", "top.parts.0.later", 2, "not supported yet", "remove the key"),
    ],
)
def test_each_finding_has_place_and_remedy(problems, text, subject, line, cause, remedy):
    found = {problem.subject: problem for problem in problems(text)}
    assert subject in found
    problem = found[subject]
    assert problem.mark.line == line
    assert cause in problem.cause
    assert problem.remedy == remedy


def test_all_findings_are_told(problems):
    assert len(problems("other: x\nkind: 1\nparts: 5\n")) == 4


class Inner(Strict):
    until: dict[str, int] = Field({"a": 1}, min_length=1)


class Outer(Strict):
    eventually: Inner = Inner()
    meanwhile: dict[str, int] = Field({})
    attachable: bool = Field(default=False, strict=True)


@pytest.mark.parametrize(
    ("data", "cause", "remedy"),
    [
        ({"eventually": {"meanwhile": {}}}, "there is no such key here", "write it beside `eventually`, not in it"),
        ({"eventually": {"until": {}}}, "needs at least 1 item, and has none", "write one, or remove the key"),
        ({"attachable": "yes"}, "true or false is needed, not text", "write true or false"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_file(data: dict[str, Any], cause: str, remedy: str) -> None:
    problems = Collector()
    assert validated(Outer, data, problems) is None
    assert [(one.cause, one.remedy) for one in problems.problems] == [(cause, remedy)]
